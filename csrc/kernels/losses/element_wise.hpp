// Losses that are sums over elements; lanes are samples. A functor knows one element: its value, in the
// dtype, and factor * its derivative.
//
//   loss[j]            = sum over c ascending of value(c, j), in float64; of squares a chain of fused
//                        multiply-adds, so that they are not rounded before
//   values[c, j]       = sample_weight[j] * value(c, j)
//   grad_input[c, j]   = derivative(factor, prediction[c, j], target[c, j])      factor: see factors.hpp
#pragma once

#include "core/compiler.hpp"
#include "core/loss_args.hpp"
#include "kernels/lanes.hpp"
#include "kernels/losses/errors.hpp"
#include "kernels/losses/factors.hpp"
#include "kernels/losses/likelihoods.hpp"

namespace ne_torch {

// Calls body with the functor of the loss.
template <class V, class Body>
NE_TORCH_INLINE void with_loss(const LossOptions<typename V::T>& options, Body body) {
    with_functor_of(ErrorLosses<V>{}, options, body);
    with_functor_of(LikelihoodLosses<V>{}, options, body);
}

// total += the value of every lane, in float64
template <class V, class Function>
NE_TORCH_INLINE void accumulate(const Function& function, index_t c, V p, V t, typename V::Totals& total) {
    total.add_products(function.value(c, p, t), V::broadcast(1));
}
template <class V>
NE_TORCH_INLINE void accumulate(const SquaredError<V>&, index_t, V p, V t, typename V::Totals& total) {
    total.add_products(p - t, p - t);
}

template <class V>
NE_TORCH_INLINE void element_wise_forward(const LossArgs<typename V::T>& args) {
    with_loss<V>(*args.options, [&](auto function) {
        for_each_chunk<V>(args.count, [&](index_t j, auto lanes) {
            typename V::Totals total;
            for (index_t c = 0; c < args.classes; ++c) {
                const V p = lanes.load(args.prediction.at(c, j));
                accumulate<V>(function, c, p, lanes.load(args.target.at(c, j)), total);
            }
            store_totals<V>(total, args.count - j, args.loss + j);
        });
    });
}

template <class V>
NE_TORCH_INLINE void element_wise_values(const LossArgs<typename V::T>& args) {
    with_loss<V>(*args.options, [&](auto function) {
        for_each_chunk<V>(args.classes, args.count, [=](index_t c, index_t j, auto lanes) {
            const V p = lanes.load(args.prediction.at(c, j));
            const V value = function.value(c, p, lanes.load(args.target.at(c, j)));
            lanes.store(args.values.at(c, j),
                        args.sample_weight ? lanes.load(args.sample_weight + j) * value : value);
        });
    });
}

template <class V>
NE_TORCH_INLINE void element_wise_backward(const LossArgs<typename V::T>& args) {
    with_loss<V>(*args.options, [&](auto function) {
        for_each_chunk<V>(args.classes, args.count, [=](index_t c, index_t j, auto lanes) {
            const V factor = loss_factor<V>(args, c, j, lanes);
            const V p = lanes.load(args.prediction.at(c, j)), t = lanes.load(args.target.at(c, j));
            lanes.store(args.grad_input.at(c, j), function.backward(c, factor, p, t));
        });
    });
}

}  // namespace ne_torch
