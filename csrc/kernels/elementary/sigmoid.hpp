// sigmoid(x) = 1 / (1 + exp(-x)), from an exponential that never overflows:
//
//   e = exp(-|x|),  sigmoid(x) = (x < 0 ? e : 1) / (1 + e)
//
// So the result decreases gradually to 0. NaN stays NaN. Called by the activations.
#pragma once

#include "kernels/elementary/exp.hpp"

namespace ne_torch {

// -|x|
template <class V>
NE_TORCH_INLINE V minus_abs(V x) {
    return V::or_sign(x, V::broadcast(typename V::T(-0.0)));
}

template <class V>
NE_TORCH_INLINE V sigmoid(V x) {
    const V one = V::broadcast(1);
    const V e = exp(minus_abs(x));
    return V::where_less(x, V::broadcast(0), e, one) / (one + e);
}

}  // namespace ne_torch
