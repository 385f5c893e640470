// BatchNorm in train mode, of feature-major (features, count) matrices that hold the whole batch. See
// core/norm_args.hpp. Chains go over the samples, so their lanes are features; all else is row by row.
//
//   backward  grad_bias   = sum over samples of grad_output
//             grad_weight = chain over samples of grad_output normalized
//             grad_input  = rstd weight * fma(0 - normalized, grad_weight / n, grad_output - grad_bias / n)
//
// (Ioffe, Szegedy: Batch normalization, ICML 2015; torch.)
#pragma once

#include "core/norm_args.hpp"
#include "kernels/lanes.hpp"
#include "kernels/layer_norm.hpp"
#include "kernels/sums.hpp"

namespace ne_torch {

// A vector's worth of features at a time goes through all of it while it is in the cache.
template <class V, class Body>
inline void for_feature_groups(index_t features, Body body) {
    for (index_t f = 0; f < features; f += V::lanes) {
        body(f, features - f < V::lanes ? features - f : static_cast<index_t>(V::lanes));
    }
}

template <class V>
void batch_norm_forward(const NormForward<typename V::T>& a) {
    using T = typename V::T;
    const V n = V::broadcast(static_cast<T>(a.count));
    for_feature_groups<V>(a.features, [&](index_t first, index_t group) {
        const Matrix<T> d{a.normalized.at(first, 0), a.normalized.row_stride, 1};
        const Matrix<const T> read{d.data, d.row_stride, 1};
        T* const mean = a.mean + first;
        T* const square = a.square + first;
        T* const rstd = a.rstd + first;
        row_sums<V>(group, a.count, {a.input.at(first, 0), a.input.row_stride, 1}, false, mean);
        for_each_chunk<V>(group,
                          [&](index_t i, auto lanes) { lanes.store(mean + i, lanes.load(mean + i) / n); });
        for_each_chunk<V>(group, a.count, [&](index_t i, index_t j, auto lanes) {
            lanes.store(d.at(i, j), lanes.load(a.input.at(first + i, j)) - V::broadcast(mean[i]));
        });
        row_dots<V>(group, a.count, read, read, false, square);
        for_each_chunk<V>(group, [&](index_t i, auto lanes) {
            const V root = V::sqrt(lanes.load(square + i) / n + V::broadcast(a.eps));
            lanes.store(rstd + i, V::broadcast(1) / root);
        });
        for_each_chunk<V>(group, a.count, [&](index_t i, index_t j, auto lanes) {
            const V x = lanes.load(d.at(i, j)) * V::broadcast(rstd[i]);
            lanes.store(d.at(i, j), x);
            lanes.store(a.output.at(first + i, j), norm_output(x, a.weight, a.bias, first + i));
        });
    });
}

template <class V>
void batch_norm_backward(const NormBackward<typename V::T>& a) {
    using T = typename V::T;
    const V n = V::broadcast(static_cast<T>(a.count));
    for_feature_groups<V>(a.features, [&](index_t first, index_t group) {
        const Matrix<const T> grad{a.grad_output.at(first, 0), a.grad_output.row_stride, 1};
        const Matrix<const T> x{a.normalized.at(first, 0), a.normalized.row_stride, 1};
        row_sums<V>(group, a.count, grad, false, a.grad_bias + first);
        row_dots<V>(group, a.count, grad, x, false, a.grad_weight + first);
        if (!a.grad_input.data) return;
        for (index_t i = 0; i < group; ++i) {
            const index_t f = first + i;
            const V mean = V::broadcast(a.grad_bias[f]) / n;
            const V dot = V::broadcast(a.grad_weight[f]) / n;
            const V rstd = V::broadcast(a.rstd[f]);
            const V factor = a.weight ? rstd * V::broadcast(a.weight[f]) : rstd;
            for_each_chunk<V>(a.count, [&](index_t j, auto lanes) {
                const V minus = V::broadcast(0) - lanes.load(x.at(i, j));
                const V centred = lanes.load(grad.at(i, j)) - mean;
                lanes.store(a.grad_input.at(f, j), factor * V::fma(minus, dot, centred));
            });
        }
    });
}

}  // namespace ne_torch
