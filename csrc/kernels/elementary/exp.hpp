// exp(x) in fused multiply-adds: the same bits from every instruction set, no libm.
//
//   n = round(x / ln 2),  r = x - n ln 2 in two steps,  |r| <= ln(2) / 2
//   exp(x) = 2^n (1 + (r + r^2 q(r))),  q the Taylor polynomial of (exp(r) - 1 - r) / r^2
//
// Truncation: r^8 / 8! = 5e-9 in float32 (degree 7), r^14 / 14! = 4e-18 in float64 (degree 13), both far
// below half an ulp of 1 (6e-8, 1.1e-16); what remains is rounding. Overflow gives +inf, underflow is gradual
// to 0, NaN stays NaN. Called by softmax and by other
// elementary functions.
#pragma once

#include "core/compiler.hpp"
#include "core/exp_constants.hpp"

namespace ne_torch {

// exp(x) = 2^n (1 + p), with n in two halves: it may lie outside the exponents of normal numbers where the
// result does not.
template <class V>
struct ExpParts {
    V n;
    V half;  // n / 2 rounded
    V p;     // exp(r) - 1
};

template <class V>
NE_TORCH_INLINE ExpParts<V> exp_parts(V x) {
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
    return {n, V::fma(n, V::broadcast(T(0.5)), shift) - shift, V::fma(r * r, q, r)};
}

template <class V>
NE_TORCH_INLINE V exp(V x) {
    const ExpParts<V> e = exp_parts(x);
    return (V::broadcast(1) + e.p) * V::power_of_two(e.half) * V::power_of_two(e.n - e.half);
}

}  // namespace ne_torch
