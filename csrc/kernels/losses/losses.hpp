// The table's loss_forward and loss_backward: which file of this folder computes a loss.
#pragma once

#include "core/loss_args.hpp"
#include "kernels/losses/cross_entropy.hpp"
#include "kernels/losses/element_wise.hpp"
#include "kernels/losses/nll.hpp"

namespace ne_torch {

template <class V>
void loss_forward(const LossArgs<typename V::T>& args) {
    switch (args.options->kind) {
        case Loss::cross_entropy:
            return cross_entropy_forward<V>(args);
        case Loss::nll:
            return nll_forward<V>(args);
        default:
            return args.values.data ? element_wise_values<V>(args) : element_wise_forward<V>(args);
    }
}

template <class V>
void loss_backward(const LossArgs<typename V::T>& args) {
    switch (args.options->kind) {
        case Loss::cross_entropy:
            return cross_entropy_backward<V>(args);
        case Loss::nll:
            return nll_backward<V>(args);
        default:
            return element_wise_backward<V>(args);
    }
}

}  // namespace ne_torch
