// What LayerNorm and BatchNorm end with, output = normalized * weight + bias: its two parameters, which may
// be missing, and their update.
#pragma once

#include "training/learned.hpp"
#include "training/stage.hpp"
#include "training/update_elements.hpp"

namespace ne_torch {

template <class T>
struct ScaleShift {
    Learned<T> weight;
    Learned<T> bias;

    // One update of the features in range, with their gradients.
    void update(Member<T>& me, Range range, T* grad_weight, T* grad_bias) const {
        update_elements(me, weight, range, grad_weight);
        update_elements(me, bias, range, grad_bias);
    }

    // The gradients of both, where they are kept.
    void list(index_t width, const T* grad_weight, const T* grad_bias,
              std::vector<Gradient<T>>& gradients) const {
        if (weight.data) gradients.push_back({weight, 1, width, {grad_weight, width, 1}});
        if (bias.data) gradients.push_back({bias, 1, width, {grad_bias, width, 1}});
    }
};

}  // namespace ne_torch
