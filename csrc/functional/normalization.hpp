// LayerNorm and BatchNorm of batch-major (rows, cols) arrays: core/norm_args.hpp has the formulas. Called by
// the bindings; what is not about a layout by the engine too.
#pragma once

#include "core/norm_args.hpp"
#include "core/views.hpp"

namespace ne_torch {

// Where there is no backward pass, normalized and rstd may be null.
template <class T>
struct LayerNorm {
    T eps;
    const T* weight;  // (cols,), or null
    const T* bias;
};
template <class T>
void layer_norm_forward(const LayerNorm<T>& norm, index_t rows, index_t cols, const T* input, T* normalized,
                        T* rstd, T* output);
// The same without an allocation and without a backward pass: room has layer_norm_room(cols) elements.
index_t layer_norm_room(index_t cols);
template <class T>
void layer_norm_forward(const LayerNorm<T>& norm, index_t rows, index_t cols, const T* input, T* output,
                        T* room);
template <class T>
void layer_norm_backward(index_t rows, index_t cols, const T* weight, const T* grad_output,
                         const T* normalized, const T* rstd, T* grad_input);

// In train mode. The args' matrices are taken as batch-major: at(sample, feature).
template <class T>
void batch_norm_forward(const NormForward<T>& args);
template <class T>
void batch_norm_backward(const NormBackward<T>& args);

// running = fma(share, x, kept * running), share = momentum, kept = 1 - momentum, both rounded to the dtype;
// x is the mean, or square / (count - 1)
template <class T>
void update_running(index_t features, index_t count, double momentum, const T* mean, const T* square,
                    T* running_mean, T* running_var);

// BatchNorm in eval mode, output = fma(input, scale, shift):
//   scale = weight / sqrt(var + eps), shift = fma(-mean, scale, bias); weight 1 and bias 0 where they are
//   null
template <class T>
void fold_statistics(index_t features, T eps, const T* weight, const T* bias, const T* mean, const T* var,
                     T* scale, T* shift);

}  // namespace ne_torch
