// Operands of normalisation, on feature-major (features, count) matrices: LayerNorm's statistics are those of
// a sample over its features, BatchNorm's those of a feature over the samples.
//
//   mean, square[.] = (sum of x) / n, chain of (x - mean)^2      n: what the statistics are over
//   rstd[.]         = 1 / sqrt(square / n + eps)
//   normalized      = (x - mean) * rstd
//   output          = fma(normalized, weight[f], bias[f]); normalized * weight[f] without a bias
#pragma once

#include "core/views.hpp"

namespace ne_torch {

template <class T>
struct NormForward {
    index_t features = 0;
    index_t count = 0;
    T eps = 0;
    const T* weight = nullptr;  // (features,), or null
    const T* bias = nullptr;    // (features,), or null; never without a weight
    Matrix<const T> input;
    Matrix<T> normalized;  // may be output where there is no backward pass
    Matrix<T> output;
    T* rstd = nullptr;    // (count,) of LayerNorm, (features,) of BatchNorm
    T* mean = nullptr;    // (features,) of BatchNorm
    T* square = nullptr;  // (features,) of BatchNorm
};

template <class T>
struct NormBackward {
    index_t features = 0;
    index_t count = 0;
    const T* weight = nullptr;
    Matrix<const T> grad_output;
    Matrix<const T> normalized;
    const T* rstd = nullptr;
    Matrix<T> grad_input;      // no data where it is not wanted
    T* grad_weight = nullptr;  // (features,) of BatchNorm, as the next
    T* grad_bias = nullptr;
};

}  // namespace ne_torch
