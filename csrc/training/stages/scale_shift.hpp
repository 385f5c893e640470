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

    // One update of the elements in range, with their gradient.
    static void update(Member<T>& me, const Learned<T>& learned, Range range, T* grad) {
        if (!learned.data) return;
        States<T> states = learned.states;
        for (T*& state : states) {
            if (state) state += range.begin;
        }
        me.kernels.update(me.options[learned.group], 1, range.end - range.begin, {grad + range.begin},
                          {learned.data + range.begin}, states.data());
    }
};

}  // namespace ne_torch
