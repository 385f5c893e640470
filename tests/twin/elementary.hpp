// The elementary functions of docs/reproducibility.md, one number at a time.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

struct Float {
    static constexpr float log2_e = 0x1.715476p+0f, high = 0x1.62e430p-1f, low = -0x1.05c610p-29f;
    static constexpr float shift = 12582912.0f, lowest = -104.0f, highest = 89.0f;
    static constexpr int degree = 7, log_terms = 4, exact_exponent = 64, subnormal_exponent = 24;
    static constexpr float tanh_highest = 10, erf_highest = 4;
    static constexpr float tanh_p[] = {-0x1.55554ep-2f, 0x1.1105d0p-3f, -0x1.aff21ap-5f};
    static constexpr float erf_p[] = {0x1.06eba8p-3f, -0x1.81273ep-2f,  0x1.ce2cf8p-4f, -0x1.b7f90ep-6f,
                                      0x1.5405b2p-8f, -0x1.a3f6fap-11f, 0x1.496a18p-14f};
    static constexpr float erf_q[] = {0x1.662996p-12f, 0x1.2088e8p+0f, 0x1.46baf6p-1f,  0x1.a652f8p-4f,
                                      -0x1.65cae4p-6f, 0x1.8259cap-9f, -0x1.86db7cp-13f};
};
struct Double {
    static constexpr double log2_e = 0x1.71547652b82fep+0, high = 0x1.62e42fefa39efp-1;
    static constexpr double low = 0x1.abc9e3b39803fp-56, shift = 6755399441055744.0;
    static constexpr double lowest = -746.0, highest = 710.0;
    static constexpr int degree = 13, log_terms = 10, exact_exponent = 128, subnormal_exponent = 53;
    static constexpr double tanh_highest = 20, erf_highest = 6;
    static constexpr double tanh_p[] = {-0x1.55555555554bdp-2, 0x1.11111110e0da5p-3,  -0x1.ba1ba117600e7p-5,
                                        0x1.664eca2874d9cp-6,  -0x1.223c873efc8fdp-7, 0x1.c3873eef8fa9dp-9};
    static constexpr double erf_p[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379e6p-2,  0x1.ce2f21a042b20p-4,
                                       -0x1.b82ce3128499cp-6,  0x1.565bcd0db02c7p-8,   -0x1.c02db3d8ecdbep-11,
                                       0x1.f9a321a116d34p-14,  -0x1.f4d1df38db4aep-17, 0x1.b9def1995c1e6p-20,
                                       -0x1.5f1d36a3432d6p-23, 0x1.f7a4112daf135p-27,  -0x1.386abe81bc097p-30,
                                       0x1.0579a69d4bb26p-34};
    static constexpr double erf_q[] = {0x1.0df53a044adc1p-21,  0x1.20dd1fd494807p+0,   0x1.45f6274dac1d6p-1,
                                       0x1.a4ac5d2c0dda1p-4,   -0x1.372299b7159fbp-6,  -0x1.ae917af775a95p-12,
                                       0x1.f64058ae8bf84p-10,  -0x1.9409442a10780p-11, 0x1.1b36ccff1508bp-13,
                                       0x1.540bd7b1c1567p-16,  -0x1.7ee8b53030f10p-16, 0x1.22d4158fb2becp-17,
                                       -0x1.1ea6ec97e4b6bp-19, 0x1.90d6f8b105375p-22,  -0x1.8ec74cbd6a460p-25,
                                       0x1.0e5dd41680b10p-28,  -0x1.c1b3ee997f140p-33, 0x1.5ad4684314371p-38};
};
template <class T>
struct Constants : Float {};
template <>
struct Constants<double> : Double {};

// c[0] + c[1] x + c[2] x^2 + ...
template <class T, std::size_t N>
T power_series(const T (&c)[N], T x) {
    T value = c[N - 1];
    for (std::size_t i = N - 1; i > 0; --i) value = std::fma(value, x, c[i - 1]);
    return value;
}

// exp(x) = 2^n (1 + p)
template <class T>
struct Parts {
    int n, half;
    T p;
};

template <class T>
Parts<T> parts_of_exponential(T x) {
    using C = Constants<T>;
    x = x > C::highest ? C::highest : x;
    x = x < C::lowest ? C::lowest : x;
    const T n = std::fma(x, C::log2_e, C::shift) - C::shift;
    const T r = std::fma(-n, C::low, std::fma(-n, C::high, x));
    T q = 0;
    for (int power = C::degree; power >= 2; --power) {
        double factorial = 1;
        for (int i = 2; i <= power; ++i) factorial *= i;
        const T coefficient = static_cast<T>(1 / factorial);
        q = power == C::degree ? coefficient : std::fma(q, r, coefficient);
    }
    const T half = std::fma(n, T(0.5), C::shift) - C::shift;
    return {static_cast<int>(n), static_cast<int>(half), std::fma(r * r, q, r)};
}

template <class T>
T exponential(T x) {
    if (std::isnan(x)) return x;
    const Parts<T> e = parts_of_exponential(x);
    return (T(1) + e.p) * std::ldexp(T(1), e.half) * std::ldexp(T(1), e.n - e.half);
}

template <class T>
T exponential_less_one(T x) {
    if (std::isnan(x)) return x;
    const Parts<T> e = parts_of_exponential(x);
    const T a = std::ldexp(T(1), e.half), b = std::ldexp(T(1), e.n - e.half);
    return std::copysign(std::fma(a, e.p, a - 1 / b) * b, x);
}

// k with x = 2^k m, sqrt(1/2) <= m < sqrt(2); m replaces x
template <class T>
int split(T& x) {
    const T root_half = sizeof(T) == 4 ? T(0x1.6a09e6p-1) : T(0x1.6a09e667f3bccp-1);
    int k = 0;
    x = std::frexp(x, &k);  // in [1/2, 1)
    if (x < root_half) x = 2 * x, k = k - 1;
    return k;
}

template <class T>
T log_of_parts(T k, T f) {
    using C = Constants<T>;
    const T s = f / (2 + f), z = s * s;
    T r = static_cast<T>(2.0 / (2 * C::log_terms + 1));
    for (int i = C::log_terms - 1; i >= 1; --i) r = std::fma(r, z, static_cast<T>(2.0 / (2 * i + 1)));
    const T t = std::fma(s, std::fma(f / 2, f, r * z), k * C::low);
    return std::fma(k, C::high, f + std::fma(-(f / 2), f, t));
}

template <class T>
T logarithm(T x) {
    if (std::isnan(x) || x < 0) return std::numeric_limits<T>::quiet_NaN();
    if (x == 0 || std::isinf(x)) return x == 0 ? -std::numeric_limits<T>::infinity() : x;
    const int k = split(x);
    return log_of_parts(static_cast<T>(k), x - 1);
}

template <class T>
T logarithm_of_one_plus(T x) {
    if (std::isnan(x) || x < -1) return std::numeric_limits<T>::quiet_NaN();
    if (x == -1 || std::isinf(x)) return x == -1 ? -std::numeric_limits<T>::infinity() : x;
    const T u = 1 + x, p = u - 1, lost = (1 - (u - p)) + (x - p);
    T m = u;
    const int k = split(m), shift = k < Constants<T>::exact_exponent ? k : Constants<T>::exact_exponent;
    const T f = std::fma(lost, std::ldexp(T(1), -shift), m - 1);
    return std::copysign(log_of_parts(static_cast<T>(k), f), x);
}

template <class T>
T hyperbolic_tangent(T x) {
    using C = Constants<T>;
    if (std::isnan(x)) return x;
    T y = x > C::tanh_highest ? C::tanh_highest : x;
    y = y < -C::tanh_highest ? -C::tanh_highest : y;
    const T n = std::fma(y, 2 * C::log2_e, C::shift) - C::shift;
    const T r = std::fma(n, -C::low / 2, std::fma(n, -C::high / 2, y)), z = r * r;
    const T t = std::fma(r * z, power_series(C::tanh_p, z), r);
    const T s = std::ldexp(T(1), static_cast<int>(n)), less = s - 1, more = s + 1;
    return std::copysign(std::fma(more, t, less) / std::fma(less, t, more), x);
}

template <class T>
T logistic(T x) {
    const T e = exponential(-std::fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

template <class T>
T error_function(T x) {
    using C = Constants<T>;
    if (std::isnan(x)) return x;
    const T a = std::fabs(x) > C::erf_highest ? C::erf_highest : std::fabs(x);
    const T near = std::fma(a, power_series(C::erf_p, a * a), a);
    const T far = 1 - exponential(-power_series(C::erf_q, a));
    return std::copysign(a < 1 ? near : far, x);
}
