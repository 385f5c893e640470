// The numbers of log and log1p, see kernels/elementary/log.hpp; ln 2 in two parts is that of exp.
#pragma once

#include "core/exp_constants.hpp"

namespace ne_torch {

template <class T>
struct LogConstants;

template <>
struct LogConstants<float> {
    static constexpr float least_normal = 0x1p-126f;
    static constexpr float subnormal_scale = 0x1p24f;  // makes every subnormal number normal
    static constexpr float subnormal_exponent = 24;
    static constexpr float no_correction = 64;  // exponents from which the rounding of 1 + x does not matter
    static constexpr int terms = 4;
};

template <>
struct LogConstants<double> {
    static constexpr double least_normal = 0x1p-1022;
    static constexpr double subnormal_scale = 0x1p53;
    static constexpr double subnormal_exponent = 53;
    static constexpr double no_correction = 128;
    static constexpr int terms = 10;
};

// 2 / (2 i + 1), rounded once: log((1 + s) / (1 - s)) = 2 s + s (2/3 s^2 + 2/5 s^4 + 2/7 s^6 + ...)
template <class T>
static constexpr T log_coefficient(int i) {
    return static_cast<T>(2.0 / (2 * i + 1));
}

}  // namespace ne_torch
