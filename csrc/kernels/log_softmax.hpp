// The logarithm of softmax over the classes of feature-major (classes, count) matrices; lanes are samples.
//
//   forward   l_c = (x_c - max x) - log(sum over c ascending of exp(x_c - max x))
//   backward  g_c = grad_c - exp(l_c) * (sum over c ascending of grad_c)
//
// A NaN among the logits makes its sample NaN; a sample of only -inf, or with +inf, is NaN, as in torch.
#pragma once

#include "core/views.hpp"
#include "kernels/elementary/exp.hpp"
#include "kernels/elementary/log.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
void log_softmax_forward(index_t classes, index_t count, Matrix<const typename V::T> input,
                         Matrix<typename V::T> output) {
    if (classes == 0) return;
    for_each_chunk<V>(count, [&](index_t j, auto lanes) {
        V highest = lanes.load(input.at(0, j));
        for (index_t c = 1; c < classes; ++c) highest = V::max(highest, lanes.load(input.at(c, j)));
        V total = V::broadcast(0);
        for (index_t c = 0; c < classes; ++c) total = total + exp(lanes.load(input.at(c, j)) - highest);
        const V shift = log(total);
        for (index_t c = 0; c < classes; ++c) {
            lanes.store(output.at(c, j), lanes.load(input.at(c, j)) - highest - shift);
        }
    });
}

template <class V>
void log_softmax_backward(index_t classes, index_t count, Matrix<const typename V::T> grad_output,
                          Matrix<const typename V::T> output, Matrix<typename V::T> grad_input) {
    for_each_chunk<V>(count, [&](index_t j, auto lanes) {
        V total = V::broadcast(0);
        for (index_t c = 0; c < classes; ++c) total = total + lanes.load(grad_output.at(c, j));
        const V minus_total = V::broadcast(0) - total;
        for (index_t c = 0; c < classes; ++c) {
            const V grad = lanes.load(grad_output.at(c, j));
            lanes.store(grad_input.at(c, j), V::fma(exp(lanes.load(output.at(c, j))), minus_total, grad));
        }
    });
}

}  // namespace ne_torch
