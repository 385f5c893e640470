// expm1(x) = exp(x) - 1 in fused multiply-adds, with the reduction and the polynomial of exp:
//
//   n = round(x / ln 2),  r = x - n ln 2,  a = 2^(n / 2 rounded),  b = 2^n / a
//   expm1(x) = b (a (exp(r) - 1) + (a - 1 / b))
//
// Where n is 0 that is exp(r) - 1 itself, whose relative error is below an ulp down to the smallest x. Above
// the overflow of exp inf, -1 for very low x, NaN stays NaN, -0 stays -0. Called by the activations.
#pragma once

#include "core/compiler.hpp"
#include "kernels/elementary/exp.hpp"

namespace ne_torch {

template <class V>
NE_TORCH_INLINE V expm1(V x) {
    const ExpParts<V> e = exp_parts(x);
    const V a = V::power_of_two(e.half);
    const V b = V::power_of_two(e.n - e.half);
    const V inverse = V::power_of_two(e.half - e.n);
    return V::or_sign(V::fma(a, e.p, a - inverse) * b, x);
}

}  // namespace ne_torch
