// What LayerNorm and BatchNorm end with, output = normalized * weight + bias: its two parameters, which may
// be missing, and their update.
#pragma once

#include "training/learned.hpp"
#include "training/stage.hpp"

namespace ne_torch {

template <class T>
struct ScaleShift {
    Learned<T> weight;
    Learned<T> bias;

    // One update of the elements in range, with their gradient, unless gradients are kept.
    static void update(Member<T>& me, const Learned<T>& learned, Range range, T* grad) {
        if (!learned.data || !me.updates()) return;
        States<T> states = learned.states;
        for (T*& state : states) {
            if (state) state += range.begin;
        }
        me.kernels.update(me.options[learned.group], 1, range.end - range.begin, {grad + range.begin},
                          {learned.data + range.begin}, states.data());
    }

    // The gradients of both, where they are kept.
    void list(index_t width, const T* grad_weight, const T* grad_bias,
              std::vector<Gradient<T>>& gradients) const {
        if (weight.data) gradients.push_back({weight, 1, width, {grad_weight, width, 1}});
        if (bias.data) gradients.push_back({bias, 1, width, {grad_bias, width, 1}});
    }
};

}  // namespace ne_torch
