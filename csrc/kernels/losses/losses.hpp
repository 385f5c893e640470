// The table's loss: which file of this folder computes it.
#pragma once

#include "core/loss_args.hpp"
#include "kernels/losses/cross_entropy.hpp"
#include "kernels/losses/element_wise.hpp"
#include "kernels/losses/nll.hpp"

namespace ne_torch {

template <class V>
void loss(const LossArgs<typename V::T>& args) {
    switch (args.options->kind) {
        case Loss::cross_entropy:
            return cross_entropy<V>(args);
        case Loss::nll:
            if (args.loss) nll_forward<V>(args);
            if (args.grad_input.data) nll_backward<V>(args);
            return;
        default:
            if (args.loss) element_wise_forward<V>(args);
            if (args.values.data) element_wise_values<V>(args);
            if (args.grad_input.data) element_wise_backward<V>(args);
    }
}

}  // namespace ne_torch
