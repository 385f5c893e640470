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

    // What a product takes, in multiply-adds. It reads and writes every number once at least, which is what a
    // product without reuse consists of: one of a matrix with a vector takes as long as some six for each.
    double work() const {
        constexpr double access = 6;
        const auto samples = static_cast<double>(batch), in = static_cast<double>(in_features),
                   out = static_cast<double>(out_features);
        return samples * in * out + access * (samples * in + in * out + samples * out);
    }
};

template <class T>
void affine_forward(const AffineShape& shape, const T* x, const T* weight, const T* bias, T* y);

template <class T>
void affine_backward(const AffineShape& shape, const T* grad_output, const T* x, const T* weight,
                     T* grad_input, T* grad_weight, T* grad_bias);

}  // namespace ne_torch
