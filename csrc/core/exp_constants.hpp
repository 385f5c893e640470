// The numbers of exp, see kernels/elementary/exp.hpp: kernels compute with them, and exported programs are
// given them.
#pragma once

namespace ne_torch {

template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
    static constexpr float log2_e = 0x1.715476p+0f;
    static constexpr float ln2_high = 0x1.62e430p-1f;
    static constexpr float ln2_low = -0x1.05c610p-29f;
    static constexpr float round_shift = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    static constexpr float lowest = -104.0f;           // exp is 0 below
    static constexpr float highest = 89.0f;            // exp is inf above
    static constexpr int degree = 7;
};

template <>
struct ExpConstants<double> {
    static constexpr double log2_e = 0x1.71547652b82fep+0;
    static constexpr double ln2_high = 0x1.62e42fefa39efp-1;
    static constexpr double ln2_low = 0x1.abc9e3b39803fp-56;
    static constexpr double round_shift = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr double lowest = -746.0;
    static constexpr double highest = 710.0;
    static constexpr int degree = 13;
};

// 1 / n!, rounded once
template <class T>
static constexpr T inverse_factorial(int n) {
    double factorial = 1;
    for (int i = 2; i <= n; ++i) factorial *= i;
    return static_cast<T>(1 / factorial);
}

}  // namespace ne_torch
