// What the gradient of a loss is multiplied by: scale, or grad_output where the loss was not reduced; times
// the weight of the sample. Used by every loss of this folder.
#pragma once

#include "core/loss_args.hpp"

namespace ne_torch {

// of row c (0 for losses of whole samples) and the samples from j on
template <class V, class Lanes>
NE_TORCH_INLINE V loss_factor(const LossArgs<typename V::T>& args, index_t c, index_t j, Lanes lanes) {
    const V factor = args.grad_output.data ? lanes.load(args.grad_output.at(c, j)) : V::broadcast(args.scale);
    return args.sample_weight ? factor * lanes.load(args.sample_weight + j) : factor;
}

}  // namespace ne_torch
