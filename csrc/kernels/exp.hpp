// exp(x) in fused multiply-adds: the same bits from every instruction set, no libm.
//
//   n = round(x / ln 2),  r = x - n ln 2 in two steps,  |r| <= ln(2) / 2
//   exp(x) = 2^n (1 + (r + r^2 q(r))),  q the Taylor polynomial of (exp(r) - 1 - r) / r^2
//
// Truncation: r^8 / 8! = 5e-9 in float32 (degree 7), r^14 / 14! = 4e-18 in float64 (degree 13), both far
// below half an ulp of 1 (6e-8, 1.1e-16); what remains is rounding. Overflow gives +inf, underflow is gradual
// to 0, NaN stays NaN. Called by softmax.
#pragma once

#include "core/compiler.hpp"
#include "core/exp_constants.hpp"

namespace ne_torch {

template <class V>
NE_TORCH_INLINE V exp(V x) {
    using C = ExpConstants<typename V::T>;
    using T = typename V::T;
    x = V::max(V::broadcast(C::lowest), V::min(V::broadcast(C::highest), x));
    const V shift = V::broadcast(C::round_shift);
    const V n = V::fma(x, V::broadcast(C::log2_e), shift) - shift;
    const V minus_n = V::broadcast(0) - n;
    const V r = V::fma(minus_n, V::broadcast(C::ln2_low), V::fma(minus_n, V::broadcast(C::ln2_high), x));

    V q = V::broadcast(inverse_factorial<T>(C::degree));
#pragma GCC unroll 16
    for (int i = C::degree - 1; i >= 2; --i) q = V::fma(q, r, V::broadcast(inverse_factorial<T>(i)));
    const V p = V::broadcast(1) + V::fma(r * r, q, r);

    // 2^n in two halves: n may lie outside the exponents of normal numbers where the result does not
    const V half = V::fma(n, V::broadcast(T(0.5)), shift) - shift;
    return p * V::power_of_two(half) * V::power_of_two(n - half);
}

}  // namespace ne_torch
