// LayerNorm of feature-major (features, count) matrices; lanes are samples. See core/norm_args.hpp.
//
//   backward  g[f]          = grad_output[f] * weight[f]; grad_output[f] without a weight
//             grad_input[f] = rstd * fma(0 - normalized[f], (chain over f of g normalized) / n,
//                                        g[f] - (sum over f of g) / n)
//
// In place is fine. (Ba, Kiros, Hinton: Layer normalization, 2016; torch.)
#pragma once

#include "core/norm_args.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
NE_TORCH_INLINE V norm_output(V normalized, const typename V::T* weight, const typename V::T* bias,
                              index_t f) {
    if (!weight) return normalized;
    const V w = V::broadcast(weight[f]);
    return bias ? V::fma(normalized, w, V::broadcast(bias[f])) : normalized * w;
}

template <class V>
void layer_norm_forward(const NormForward<typename V::T>& a) {
    using T = typename V::T;
    const V n = V::broadcast(static_cast<T>(a.features));
    for_each_chunk<V>(a.count, [&](index_t j, auto lanes) {
        V mean = V::broadcast(0);
        for (index_t f = 0; f < a.features; ++f) mean = mean + lanes.load(a.input.at(f, j));
        mean = mean / n;
        V square = V::broadcast(0);
        for (index_t f = 0; f < a.features; ++f) {
            const V d = lanes.load(a.input.at(f, j)) - mean;
            square = V::fma(d, d, square);
        }
        const V rstd = V::broadcast(1) / V::sqrt(square / n + V::broadcast(a.eps));
        if (a.rstd) lanes.store(a.rstd + j, rstd);
        for (index_t f = 0; f < a.features; ++f) {
            const V x = (lanes.load(a.input.at(f, j)) - mean) * rstd;
            lanes.store(a.normalized.at(f, j), x);
            lanes.store(a.output.at(f, j), norm_output(x, a.weight, a.bias, f));
        }
    });
}

template <class V>
void layer_norm_backward(const NormBackward<typename V::T>& a) {
    const V n = V::broadcast(static_cast<typename V::T>(a.features));
    for_each_chunk<V>(a.count, [&](index_t j, auto lanes) {
        const auto gradient = [&](index_t f) {
            const V g = lanes.load(a.grad_output.at(f, j));
            return a.weight ? g * V::broadcast(a.weight[f]) : g;
        };
        V sum = V::broadcast(0);
        V dot = V::broadcast(0);
        for (index_t f = 0; f < a.features; ++f) {
            const V g = gradient(f);
            sum = sum + g;
            dot = V::fma(g, lanes.load(a.normalized.at(f, j)), dot);
        }
        sum = sum / n;
        dot = dot / n;
        const V rstd = lanes.load(a.rstd + j);
        for (index_t f = 0; f < a.features; ++f) {
            const V minus = V::broadcast(0) - lanes.load(a.normalized.at(f, j));
            lanes.store(a.grad_input.at(f, j), rstd * V::fma(minus, dot, gradient(f) - sum));
        }
    });
}

}  // namespace ne_torch
