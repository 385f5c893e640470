// The negative log-likelihood of classes, of log-probabilities x:
//
//   loss    = weight[t] (0 - x[t]), in float64         0 where the class t is ignore_index
//   grad[t] = 0 - factor weight[t],  the others 0
#pragma once

#include "core/compiler.hpp"
#include "core/loss_args.hpp"
#include "kernels/lanes.hpp"
#include "kernels/losses/factors.hpp"

namespace ne_torch {

template <class V>
NE_TORCH_INLINE void nll_forward(const LossArgs<typename V::T>& args) {
    const auto* const weight = args.options->weight;
    for (index_t j = 0; j < args.count; ++j) {
        const index_t own = args.indices[j];
        double loss = 0;
        if (own != args.options->ignore_index) {
            loss = 0 - static_cast<double>(*args.prediction.at(own, j));
            if (weight) loss = static_cast<double>(weight[own]) * loss;
        }
        args.loss[j] = loss;
    }
}

template <class V>
NE_TORCH_INLINE void nll_backward(const LossArgs<typename V::T>& args) {
    const auto* const weight = args.options->weight;
    for_each_chunk<V>(args.count, [&](index_t j, auto lanes) {
        for (index_t c = 0; c < args.classes; ++c) lanes.store(args.grad_input.at(c, j), V::broadcast(0));
        typename V::T factor[V::lanes];
        loss_factor<V>(args, 0, j, lanes).store(factor);
        for (index_t l = 0; l < V::lanes && j + l < args.count; ++l) {
            const index_t own = args.indices[j + l];
            if (own == args.options->ignore_index) continue;
            *args.grad_input.at(own, j + l) = 0 - (weight ? factor[l] * weight[own] : factor[l]);
        }
    });
}

}  // namespace ne_torch
