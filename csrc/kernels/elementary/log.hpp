// log(x) and log1p(x) = log(1 + x) in fused multiply-adds: the same bits from every instruction set, no libm.
//
//   x = 2^k (1 + f),  sqrt(1/2) <= 1 + f < sqrt(2),  s = f / (2 + f),  z = s^2 <= 0.0295
//   log(1 + f) = f - f^2 / 2 + s (f^2 / 2 + R(z)),  R(z) = 2/3 z + 2/5 z^2 + 2/7 z^3 + ...   (as in fdlibm)
//   log(x)     = k ln 2 + log(1 + f)
//
// Truncation: the first term left out is below 2e-9 |f| in float32 and 1e-18 |f| in float64, far below half
// an ulp. log1p adds to f what rounding 1 + x has lost, so that f is x itself where k is 0.
//   log     0 -> -inf, x < 0 -> NaN, inf -> inf, NaN -> NaN; subnormal numbers as precise as normal ones
//   log1p   -1 -> -inf, x < -1 -> NaN, inf -> inf, NaN -> NaN, -0 -> -0
#pragma once

#include <cmath>

#include "core/compiler.hpp"
#include "core/log_constants.hpp"

namespace ne_torch {

// k ln 2 + log(1 + f)
template <class V>
NE_TORCH_INLINE V log_of_parts(V k, V f) {
    using T = typename V::T;
    const V s = f / (V::broadcast(2) + f);
    const V z = s * s;
    constexpr int terms = LogConstants<T>::terms;
    V r = V::broadcast(log_coefficient<T>(terms));
#pragma GCC unroll 16
    for (int i = terms - 1; i >= 1; --i) r = V::fma(r, z, V::broadcast(log_coefficient<T>(i)));
    const V half_f = V::broadcast(T(0.5)) * f;
    const V tail = V::fma(s, V::fma(half_f, f, r * z), k * V::broadcast(ExpConstants<T>::ln2_low));
    const V near = f + V::fma(V::broadcast(0) - half_f, f, tail);
    return V::fma(k, V::broadcast(ExpConstants<T>::ln2_high), near);
}

// The result where x lies inside (start, inf), and what belongs to the other x.
template <class V>
NE_TORCH_INLINE V log_or_special(V x, V start, V result) {
    const V inf = V::broadcast(static_cast<typename V::T>(INFINITY));
    const V nan = V::broadcast(static_cast<typename V::T>(NAN));
    const V outside = V::where_less(x, start, nan, V::broadcast(0) - inf);  // the latter at the start itself
    return V::where_less(start, x, V::where_less(x, inf, result, x), V::where_less(x, inf, outside, x));
}

template <class V>
NE_TORCH_INLINE V log(V x) {
    using C = LogConstants<typename V::T>;
    const V least = V::broadcast(C::least_normal);
    const V scaled = V::where_less(x, least, x * V::broadcast(C::subnormal_scale), x);
    const V shift = V::where_less(x, least, V::broadcast(C::subnormal_exponent), V::broadcast(0));
    V mantissa;
    const V k = V::split_exponent(scaled, mantissa) - shift;
    const V result = log_of_parts(k, mantissa - V::broadcast(1));
    return log_or_special(x, V::broadcast(0), result);
}

template <class V>
NE_TORCH_INLINE V log1p(V x) {
    const V one = V::broadcast(1);
    const V u = one + x;
    const V part = u - one;
    const V lost = (one - (u - part)) + (x - part);  // 1 + x = u + lost exactly (Knuth)
    V mantissa;
    const V k = V::split_exponent(u, mantissa);
    const V exponent = V::min(k, V::broadcast(LogConstants<typename V::T>::no_correction));
    const V f = V::fma(lost, V::power_of_two(V::broadcast(0) - exponent), mantissa - one);
    return V::or_sign(log_or_special(x, V::broadcast(-1), log_of_parts(k, f)), x);
}

}  // namespace ne_torch
