// log and log1p as docs/reproducibility.md has them. Part of twin.cpp.
#pragma once

#include <cmath>
#include <limits>

namespace {

struct LogFloat {
    static constexpr float high = 0x1.62e430p-1f, low = -0x1.05c610p-29f, root_half = 0x1.6a09e6p-1f;
    static constexpr int terms = 4, uncorrected = 64;
};
struct LogDouble {
    static constexpr double high = 0x1.62e42fefa39efp-1, low = 0x1.abc9e3b39803fp-56;
    static constexpr double root_half = 0x1.6a09e667f3bccp-1;
    static constexpr int terms = 10, uncorrected = 128;
};
template <class T>
struct LogConstants : LogFloat {};
template <>
struct LogConstants<double> : LogDouble {};

// x = 2^k m, m in [sqrt(1/2), sqrt(2))
template <class T>
int exponent_of(T x, T* m) {
    int k = 0;
    *m = std::frexp(x, &k);
    if (*m >= LogConstants<T>::root_half) return k;
    *m = *m * 2;
    return k - 1;
}

template <class T>
T logarithm_of_parts(int k, T f) {
    using C = LogConstants<T>;
    const T s = f / (2 + f), z = s * s, exponent = static_cast<T>(k);
    T r = static_cast<T>(2.0 / (2 * C::terms + 1));
    for (int i = C::terms - 1; i >= 1; --i) r = std::fma(r, z, static_cast<T>(2.0 / (2 * i + 1)));
    const T half = T(0.5) * f;
    const T t = std::fma(s, std::fma(half, f, r * z), exponent * C::low);
    return std::fma(exponent, C::high, f + std::fma(-half, f, t));
}

template <class T>
T logarithm(T x) {
    if (std::isnan(x) || x == std::numeric_limits<T>::infinity()) return x;
    if (x == 0) return -std::numeric_limits<T>::infinity();
    if (x < 0) return std::numeric_limits<T>::quiet_NaN();
    T m;
    const int k = exponent_of(x, &m);
    return logarithm_of_parts(k, m - 1);
}

template <class T>
T logarithm_of_one_plus(T x) {
    if (std::isnan(x) || x == std::numeric_limits<T>::infinity()) return x;
    if (x == -1) return -std::numeric_limits<T>::infinity();
    if (x < -1) return std::numeric_limits<T>::quiet_NaN();
    const T u = 1 + x, part = u - 1, lost = (1 - (u - part)) + (x - part);
    T m;
    const int k = exponent_of(u, &m);
    const int limit = LogConstants<T>::uncorrected;
    const T f = std::fma(lost, std::ldexp(T(1), -(k < limit ? k : limit)), m - 1);
    return std::copysign(logarithm_of_parts(k, f), x);
}

}  // namespace
