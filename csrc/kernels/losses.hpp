// Losses: the value of each sample in float64, the gradient in the dtype of the prediction.
//
//   MSE   loss_b = fma-chain over c ascending of d^2, d = prediction - target rounded to the dtype
//         value  = (sum over b ascending of loss_b) / N          by the caller; N counts all elements
//         grad   = (2 / N) * d
#pragma once

#include "core/views.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
void mse_forward(index_t classes, index_t count, Matrix<const typename V::T> prediction,
                 Matrix<const typename V::T> target, double* loss) {
    for_each_chunk<V>(count, [&](index_t j, auto lanes) {
        double total[V::lanes] = {};
        for (index_t c = 0; c < classes; ++c) {
            const V difference = lanes.load(prediction.data + c * prediction.row_stride + j) -
                                 lanes.load(target.data + c * target.row_stride + j);
            V::accumulate_squares(difference, total);
        }
        for (index_t l = 0; l < V::lanes && j + l < count; ++l) loss[j + l] = total[l];
    });
}

template <class V>
void mse_backward(index_t rows, index_t cols, typename V::T scale, Matrix<const typename V::T> prediction,
                  Matrix<const typename V::T> target, Matrix<typename V::T> grad_input) {
    const V factor = V::broadcast(scale);
    for_each_chunk<V>(rows, cols, [&](index_t i, index_t j, auto lanes) {
        const V difference = lanes.load(prediction.at(i, j)) - lanes.load(target.at(i, j));
        lanes.store(grad_input.at(i, j), factor * difference);
    });
}

}  // namespace ne_torch
