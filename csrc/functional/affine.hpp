// The affine map on batch-major arrays, shared among threads. Called by the bindings.
//
//   forward   y[b, o]           = (chain over k of x[b, k] * weight[o, k]) + bias[o]
//   backward  grad_input[b, k]  = chain over o of grad_output[b, o] * weight[o, k]
//             grad_weight[o, k] = chain over b of grad_output[b, o] * x[b, k]
//             grad_bias[o]      = sum over b of grad_output[b, o]
//
// All arrays are contiguous; bias and grad_bias may be null.
#pragma once

#include "core/views.hpp"

namespace ne_torch {

struct AffineShape {
    index_t batch;
    index_t in_features;
    index_t out_features;

    // multiply-adds of one product
    double work() const {
        return static_cast<double>(batch) * static_cast<double>(in_features) *
               static_cast<double>(out_features);
    }
};

template <class T>
void affine_forward(const AffineShape& shape, const T* x, const T* weight, const T* bias, T* y);

template <class T>
void affine_backward(const AffineShape& shape, const T* grad_output, const T* x, const T* weight,
                     T* grad_input, T* grad_weight, T* grad_bias);

}  // namespace ne_torch
