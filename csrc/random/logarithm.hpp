// log(x) in fused multiply-adds, without libm: the same bits everywhere. Called by the normal numbers.
#pragma once

#include <cmath>
#include <cstddef>

namespace ne_torch {

// coefficients from the highest power down, one fused multiply-add each
template <std::size_t N>
inline double polynomial(const double (&coefficients)[N], double x) {
    double value = coefficients[0];
    for (std::size_t i = 1; i < N; ++i) value = std::fma(value, x, coefficients[i]);
    return value;
}

// log(x) for a normal x > 0: x = 2^k m with m in [sqrt(1/2), sqrt(2)), s = (m - 1) / (m + 1),
// log m = 2 (s + s^3 / 3 + s^5 / 5 + ...), whose 12th term is below 1e-18 for |s| <= 0.172. Error below 2
// ulp (1.7 over the samples of tests/test_elementary.py).
inline double log_positive(double x) {
    constexpr double ln2_high = 0x1.62e42fefa39efp-1;
    constexpr double ln2_low = 0x1.abc9e3b39803fp-56;
    static const double series[] = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                    1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};
    int exponent = 0;
    double mantissa = std::frexp(x, &exponent);
    if (mantissa < 0x1.6a09e667f3bcdp-1) {
        mantissa *= 2;
        --exponent;
    }
    const double s = (mantissa - 1) / (mantissa + 1);
    const double z = s * s;
    const double tail = std::fma(s * z, polynomial(series, z), exponent * ln2_low / 2);
    return std::fma(static_cast<double>(exponent), ln2_high, 2 * (s + tail));
}

}  // namespace ne_torch
