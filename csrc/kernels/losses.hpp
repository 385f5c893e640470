// Losses: the value of each sample in float64, the gradient in the dtype of the prediction.
//
//   MSE   loss_b = fma-chain over c ascending of d^2, d = prediction - target rounded to the dtype
//         grad   = (2 * scale) * d
//
// The caller sums the samples' losses, ascending, and divides by the number of elements N; scale is 1 / N.
#pragma once

#include "core/compiler.hpp"
#include "core/names.hpp"
#include "core/views.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
struct SquaredError {
    // total[l] += the loss of lane l, in float64
    static void accumulate(V prediction, V target, double* total) {
        V::accumulate_squares(prediction - target, total);
    }
    static V backward(V scale, V prediction, V target) { return (scale + scale) * (prediction - target); }
};

// Calls body with the functor of the loss.
template <class V, class Body>
NE_TORCH_INLINE void with_loss(Loss kind, Body body) {
    switch (kind) {
        case Loss::mse:
            return body(SquaredError<V>{});
    }
}

template <class V>
void loss_forward(Loss kind, index_t classes, index_t count, Matrix<const typename V::T> prediction,
                  Matrix<const typename V::T> target, double* loss) {
    with_loss<V>(kind, [&](auto function) {
        for_each_chunk<V>(count, [&](index_t j, auto lanes) {
            double total[V::lanes] = {};
            for (index_t c = 0; c < classes; ++c) {
                function.accumulate(lanes.load(prediction.at(c, j)), lanes.load(target.at(c, j)), total);
            }
            for (index_t l = 0; l < V::lanes && j + l < count; ++l) loss[j + l] = total[l];
        });
    });
}

template <class V>
void loss_backward(Loss kind, index_t classes, index_t count, typename V::T scale,
                   Matrix<const typename V::T> prediction, Matrix<const typename V::T> target,
                   Matrix<typename V::T> grad_input) {
    const V factor = V::broadcast(scale);
    with_loss<V>(kind, [&](auto function) {
        for_each_chunk<V>(classes, count, [&](index_t c, index_t j, auto lanes) {
            const V p = lanes.load(prediction.at(c, j));
            lanes.store(grad_input.at(c, j), function.backward(factor, p, lanes.load(target.at(c, j))));
        });
    });
}

}  // namespace ne_torch
