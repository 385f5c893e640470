// V without SIMD: one lane, std::fma. The slow twin that every machine has.
//
// What a V offers (see also kernels/): load, store, broadcast, +, -, *, /, sqrt, fma, comparisons that
// select, and what elementary functions and a register transpose need. Masks name the first n lanes.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "isa/vec_scalar_words.hpp"

namespace ne_torch::scalar {

template <class Scalar, class Bits, int MantissaBits, int Bias>
struct Vec {
    using T = Scalar;
    using Words = scalar::Words;
    struct Mask {};
    static constexpr int lanes = 1;
    static constexpr int max_rows = 4;  // MR of a tile
    static constexpr int max_vectors =
        1;  // NR / lanes of a tile; with two, 5 % faster and half as much code again

    static constexpr Bits root_half =  // the bits of sqrt(1/2), rounded down
        sizeof(T) == 4 ? Bits{0x3f3504f3} : static_cast<Bits>(0x3fe6a09e667f3bcc);

    T v;

    static void clear_upper_halves() {}
    static Mask first(int) { return {}; }
    static Vec load(const T* p) { return {*p}; }
    static Vec load(const T* p, Mask) { return {*p}; }
    // reduced weights, widened without rounding: the upper half of a float's bits, or an integer
    static Vec load(const std::uint16_t* p) {
        const std::uint32_t bits = static_cast<std::uint32_t>(*p) << 16;
        float wide;
        std::memcpy(&wide, &bits, sizeof wide);
        return {static_cast<T>(wide)};
    }
    static Vec load(const std::int8_t* p) { return {static_cast<T>(*p)}; }
    static Vec load(const std::uint8_t* p) { return {static_cast<T>(*p)}; }  // features kept in bytes
    void store(T* p) const { *p = v; }
    void store(T* p, Mask) const { *p = v; }
    static Vec broadcast(T x) { return {x}; }

    friend Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
    friend Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
    friend Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
    friend Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
    static Vec sqrt(Vec a) { return {std::sqrt(a.v)}; }
    static Vec fma(Vec a, Vec b, Vec c) { return {std::fma(a.v, b.v, c.v)}; }

    // a > b ? a : b, so that b comes out where either is NaN
    static Vec max(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }
    // a < b ? a : b
    static Vec min(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }
    // x <= 0 ? 0 : y
    static Vec zero_where_not_positive(Vec x, Vec y) { return {x.v <= T(0) ? T(0) : y.v}; }
    // a < b ? yes : no, so that no comes out where either is NaN
    static Vec where_less(Vec a, Vec b, Vec yes, Vec no) { return a.v < b.v ? yes : no; }
    static Vec abs(Vec x) { return {std::fabs(x.v)}; }
    // x with its sign bit set where that of y is
    static Vec or_sign(Vec x, Vec y) { return {std::signbit(y.v) ? -std::fabs(x.v) : x.v}; }
    // For a normal x > 0: x = mantissa 2^exponent with the mantissa in [sqrt(1/2), sqrt(2)). Any other x
    // gives some number. The sum carries into the exponent where the mantissa is sqrt(2) or more.
    static Vec split_exponent(Vec x, Vec& mantissa) {
        constexpr Bits one = Bits{Bias} << MantissaBits;
        Bits bits;
        std::memcpy(&bits, &x.v, sizeof(T));
        bits += one - root_half;
        const Bits exponent = bits >> MantissaBits;
        bits = (bits & ((Bits{1} << MantissaBits) - 1)) + root_half;
        std::memcpy(&mantissa.v, &bits, sizeof(T));
        return {static_cast<T>(exponent) - static_cast<T>(Bias)};
    }
    // w > bound ? x : 0
    static Vec keep_where_above(Words w, std::uint32_t bound, Vec x) { return {w.v > bound ? x.v : T(0)}; }
    // 2^n for an integral n in the range of normal numbers
    static Vec power_of_two(Vec n) {
        const T exponent = std::isnan(n.v) ? T(0) : n.v;  // a NaN has no integer to convert to
        const Bits bits = static_cast<Bits>(static_cast<std::int32_t>(exponent) + Bias) << MantissaBits;
        Vec result;
        std::memcpy(&result.v, &bits, sizeof(T));
        return result;
    }
    // block[t] lane i = p[i * stride + t]: a block of lanes x lanes, transposed
    static void load_transposed(const T* p, std::int64_t, Vec (&block)[lanes]) { block[0] = load(p); }
    // a sum in float64 for every lane: total[l] = fma(x[l], y[l], total[l])
    struct Totals {
        double v = 0;
        void add_products(Vec x, Vec y) {
            v = std::fma(static_cast<double>(x.v), static_cast<double>(y.v), v);
        }
        void store(double* p) const { *p = v; }
    };
};

using VecF32 = Vec<float, std::uint32_t, 23, 127>;
using VecF64 = Vec<double, std::uint64_t, 52, 1023>;

}  // namespace ne_torch::scalar
