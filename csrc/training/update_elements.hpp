// The update of some of a parameter's elements by one member, where it is no part of a product's store.
#pragma once

#include "training/learned.hpp"
#include "training/member.hpp"

namespace ne_torch {

// Of the elements in range, with their gradient, unless gradients are kept.
template <class T>
void update_elements(Member<T>& me, const Learned<T>& learned, Range range, T* grad) {
    if (!learned.data || !me.updates()) return;
    States<T> states = learned.states;
    for (T*& state : states) {
        if (state) state += range.begin;
    }
    me.kernels.update(me.options[learned.group], 1, range.end - range.begin, {grad + range.begin},
                      {learned.data + range.begin}, states.data());
}

}  // namespace ne_torch
