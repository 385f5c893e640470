// tanh(x) in fused multiply-adds: the same bits from every instruction set, no libm, no branch.
//
//   n = round(2 x / ln 2),  r = x - n ln(2) / 2,  |r| <= ln(2) / 4,  s = 2^n,  t = tanh(r) = r + r z p(z)
//   tanh(x) = (s (1 + t) - (1 - t)) / (s (1 + t) + (1 - t)) = ((s + 1) t + (s - 1)) / ((s - 1) t + (s + 1))
//
// One division and a polynomial of 3 terms (float32): with exp's own reduction, exp(2 x) - 1 over exp(2 x) +
// 1 would take a polynomial of 6. Where n is 0 the quotient is t itself, so small x lose nothing; the result
// never exceeds 1, because the rounded numerator never exceeds the rounded denominator; tanh(-x) = -tanh(x).
// -0 stays -0, NaN stays NaN. Called by the activations.
#pragma once

#include "core/exp_constants.hpp"
#include "core/polynomials.hpp"
#include "kernels/elementary/polynomial.hpp"

namespace ne_torch {

template <class V>
NE_TORCH_INLINE V tanh(V x) {
    using C = TanhConstants<typename V::T>;
    const V shift = V::broadcast(ExpConstants<typename V::T>::round_shift);
    const V y = V::max(V::broadcast(-C::highest), V::min(V::broadcast(C::highest), x));
    const V n = V::fma(y, V::broadcast(C::two_log2_e), shift) - shift;
    const V r = V::fma(n, V::broadcast(-C::half_ln2_low), V::fma(n, V::broadcast(-C::half_ln2_high), y));
    const V z = r * r;
    const V t = V::fma(r * z, horner(kTanhSingle, kTanhWide, z), r);
    const V s = V::power_of_two(n);
    const V less = s - V::broadcast(1);
    const V more = s + V::broadcast(1);
    return V::or_sign(V::fma(more, t, less) / V::fma(less, t, more), x);
}

}  // namespace ne_torch
