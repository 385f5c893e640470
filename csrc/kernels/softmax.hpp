// Softmax over the classes of feature-major (classes, count) matrices; lanes are samples.
//
//   forward   s_c = exp(x_c - max x) / sum over c ascending of exp(x_c - max x)
//   backward  g_c = s_c * (grad_c - sum over c ascending of grad_c * s_c)      the Jacobian-vector product
//
// A NaN among the logits makes its sample NaN; a sample of only -inf, or with +inf, is NaN, as in torch.
#pragma once

#include "core/views.hpp"
#include "kernels/elementary/exp.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
void softmax_forward(index_t classes, index_t count, Matrix<const typename V::T> input,
                     Matrix<typename V::T> output) {
    if (classes == 0) return;
    for_each_chunk<V>(count, [&](index_t j, auto lanes) {
        V highest = lanes.load(input.data + j);
        for (index_t c = 1; c < classes; ++c) {
            highest = V::max(highest, lanes.load(input.data + c * input.row_stride + j));
        }
        V total = V::broadcast(0);
        for (index_t c = 0; c < classes; ++c) {
            const V e = exp(lanes.load(input.data + c * input.row_stride + j) - highest);
            lanes.store(output.data + c * output.row_stride + j, e);
            total = total + e;
        }
        for (index_t c = 0; c < classes; ++c) {
            typename V::T* s = output.data + c * output.row_stride + j;
            lanes.store(s, lanes.load(s) / total);
        }
    });
}

template <class V>
void softmax_backward(index_t classes, index_t count, Matrix<const typename V::T> grad_output,
                      Matrix<const typename V::T> output, Matrix<typename V::T> grad_input) {
    for_each_chunk<V>(count, [&](index_t j, auto lanes) {
        V total = V::broadcast(0);
        for (index_t c = 0; c < classes; ++c) {
            total = V::fma(lanes.load(grad_output.data + c * grad_output.row_stride + j),
                           lanes.load(output.data + c * output.row_stride + j), total);
        }
        for (index_t c = 0; c < classes; ++c) {
            const V grad = lanes.load(grad_output.data + c * grad_output.row_stride + j);
            const V s = lanes.load(output.data + c * output.row_stride + j);
            lanes.store(grad_input.data + c * grad_input.row_stride + j, s * (grad - total));
        }
    });
}

}  // namespace ne_torch
