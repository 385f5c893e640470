// V for AArch64's Advanced SIMD: 4 floats or 2 doubles; a mask is a count of lanes, handled one by one.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "isa/vec_neon_words.hpp"

namespace ne_torch::neon {

struct FirstLanes {
    int count;
};

struct VecF32 {
    using T = float;
    using Words = WordsF32;
    using Mask = FirstLanes;
    static constexpr int lanes = 4;
    static constexpr int max_rows =
        12;  // 24 accumulators + 2 vectors of B + broadcasts of A, of 32 registers
    static constexpr int max_vectors = 2;

    float32x4_t v;

    static void clear_upper_halves() {}
    static Mask first(int n) { return {n}; }
    static VecF32 load(const T* p) { return {vld1q_f32(p)}; }
    static VecF32 load(const T* p, Mask m) {
        if (m.count == lanes) return load(p);
        T part[lanes] = {};
        for (int l = 0; l < m.count; ++l) part[l] = p[l];
        return load(part);
    }
    static VecF32 load(const std::uint16_t* p) {
        return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))};
    }
    static VecF32 load(const std::int8_t* p) {
        std::int32_t four;  // an unaligned load of 4 bytes
        __builtin_memcpy(&four, p, sizeof four);
        const int8x8_t bytes = vreinterpret_s8_s32(vdup_n_s32(four));
        return {vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(bytes))))};
    }
    static VecF32 load(const std::uint8_t* p) {
        std::uint32_t four;
        __builtin_memcpy(&four, p, sizeof four);
        const uint8x8_t bytes = vreinterpret_u8_u32(vdup_n_u32(four));
        return {vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))))};
    }
    void store(T* p) const { vst1q_f32(p, v); }
    void store(T* p, Mask m) const {
        T part[lanes];
        store(part);
        for (int l = 0; l < m.count; ++l) p[l] = part[l];
    }
    static VecF32 broadcast(T x) { return {vdupq_n_f32(x)}; }

    friend VecF32 operator+(VecF32 a, VecF32 b) { return {vaddq_f32(a.v, b.v)}; }
    friend VecF32 operator-(VecF32 a, VecF32 b) { return {vsubq_f32(a.v, b.v)}; }
    friend VecF32 operator*(VecF32 a, VecF32 b) { return {vmulq_f32(a.v, b.v)}; }
    friend VecF32 operator/(VecF32 a, VecF32 b) { return {vdivq_f32(a.v, b.v)}; }
    static VecF32 sqrt(VecF32 a) { return {vsqrtq_f32(a.v)}; }
    static VecF32 fma(VecF32 a, VecF32 b, VecF32 c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
    static VecF32 max(VecF32 a, VecF32 b) { return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)}; }
    static VecF32 min(VecF32 a, VecF32 b) { return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)}; }
    static VecF32 zero_where_not_positive(VecF32 x, VecF32 y) {
        return {vbslq_f32(vclezq_f32(x.v), vdupq_n_f32(0), y.v)};
    }
    static VecF32 where_less(VecF32 a, VecF32 b, VecF32 yes, VecF32 no) {
        return {vbslq_f32(vcltq_f32(a.v, b.v), yes.v, no.v)};
    }
    static VecF32 abs(VecF32 x) { return {vabsq_f32(x.v)}; }
    static VecF32 or_sign(VecF32 x, VecF32 y) {
        const auto sign = vandq_u32(vreinterpretq_u32_f32(y.v), vreinterpretq_u32_f32(vdupq_n_f32(T(-0.0))));
        return {vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(x.v), sign))};
    }
    static VecF32 split_exponent(VecF32 x, VecF32& mantissa) {
        const uint32x4_t root_half = vdupq_n_u32(0x3f3504f3);
        const uint32x4_t bits = vaddq_u32(vreinterpretq_u32_f32(x.v), vdupq_n_u32(0x3f800000 - 0x3f3504f3));
        const uint32x4_t fraction = vandq_u32(bits, vdupq_n_u32(0x7fffff));
        mantissa = {vreinterpretq_f32_u32(vaddq_u32(fraction, root_half))};
        return {vsubq_f32(vcvtq_f32_u32(vshrq_n_u32(bits, 23)), vdupq_n_f32(127.0f))};
    }
    static VecF32 keep_where_above(Words w, std::uint32_t bound, VecF32 x) {
        return {vbslq_f32(vcgtq_u32(w.v, vdupq_n_u32(bound)), x.v, vdupq_n_f32(0))};
    }
    static VecF32 power_of_two(VecF32 n) {
        const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n.v), vdupq_n_s32(127));
        return {vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23))};
    }
    static void load_transposed(const T* p, std::int64_t stride, VecF32 (&block)[lanes]) {
        const float32x4_t r[4] = {vld1q_f32(p), vld1q_f32(p + stride), vld1q_f32(p + 2 * stride),
                                  vld1q_f32(p + 3 * stride)};
        const float64x2_t low01 = vreinterpretq_f64_f32(vzip1q_f32(r[0], r[1]));
        const float64x2_t high01 = vreinterpretq_f64_f32(vzip2q_f32(r[0], r[1]));
        const float64x2_t low23 = vreinterpretq_f64_f32(vzip1q_f32(r[2], r[3]));
        const float64x2_t high23 = vreinterpretq_f64_f32(vzip2q_f32(r[2], r[3]));
        block[0].v = vreinterpretq_f32_f64(vzip1q_f64(low01, low23));
        block[1].v = vreinterpretq_f32_f64(vzip2q_f64(low01, low23));
        block[2].v = vreinterpretq_f32_f64(vzip1q_f64(high01, high23));
        block[3].v = vreinterpretq_f32_f64(vzip2q_f64(high01, high23));
    }
    struct Totals {
        float64x2_t low = vdupq_n_f64(0), high = vdupq_n_f64(0);
        void add_products(VecF32 x, VecF32 y) {
            const auto wide_low = [](VecF32 a) { return vcvt_f64_f32(vget_low_f32(a.v)); };
            low = vfmaq_f64(low, wide_low(x), wide_low(y));
            high = vfmaq_f64(high, vcvt_high_f64_f32(x.v), vcvt_high_f64_f32(y.v));
        }
        void store(double* p) const {
            vst1q_f64(p, low);
            vst1q_f64(p + 2, high);
        }
    };
};

struct VecF64 {
    using T = double;
    using Words = WordsF64;
    using Mask = FirstLanes;
    static constexpr int lanes = 2;
    static constexpr int max_rows = 12;
    static constexpr int max_vectors = 2;

    float64x2_t v;

    static void clear_upper_halves() {}
    static Mask first(int n) { return {n}; }
    static VecF64 load(const T* p) { return {vld1q_f64(p)}; }
    static VecF64 load(const T* p, Mask m) {
        return m.count == lanes ? load(p) : VecF64{vsetq_lane_f64(*p, vdupq_n_f64(0), 0)};
    }
    static VecF64 load(const std::uint8_t* p) {
        const double both[lanes] = {static_cast<double>(p[0]), static_cast<double>(p[1])};
        return load(both);
    }
    void store(T* p) const { vst1q_f64(p, v); }
    void store(T* p, Mask m) const {
        if (m.count == lanes) {
            store(p);
        } else {
            vst1q_lane_f64(p, v, 0);
        }
    }
    static VecF64 broadcast(T x) { return {vdupq_n_f64(x)}; }

    friend VecF64 operator+(VecF64 a, VecF64 b) { return {vaddq_f64(a.v, b.v)}; }
    friend VecF64 operator-(VecF64 a, VecF64 b) { return {vsubq_f64(a.v, b.v)}; }
    friend VecF64 operator*(VecF64 a, VecF64 b) { return {vmulq_f64(a.v, b.v)}; }
    friend VecF64 operator/(VecF64 a, VecF64 b) { return {vdivq_f64(a.v, b.v)}; }
    static VecF64 sqrt(VecF64 a) { return {vsqrtq_f64(a.v)}; }
    static VecF64 fma(VecF64 a, VecF64 b, VecF64 c) { return {vfmaq_f64(c.v, a.v, b.v)}; }
    static VecF64 max(VecF64 a, VecF64 b) { return {vbslq_f64(vcgtq_f64(a.v, b.v), a.v, b.v)}; }
    static VecF64 min(VecF64 a, VecF64 b) { return {vbslq_f64(vcltq_f64(a.v, b.v), a.v, b.v)}; }
    static VecF64 zero_where_not_positive(VecF64 x, VecF64 y) {
        return {vbslq_f64(vclezq_f64(x.v), vdupq_n_f64(0), y.v)};
    }
    static VecF64 where_less(VecF64 a, VecF64 b, VecF64 yes, VecF64 no) {
        return {vbslq_f64(vcltq_f64(a.v, b.v), yes.v, no.v)};
    }
    static VecF64 abs(VecF64 x) { return {vabsq_f64(x.v)}; }
    static VecF64 or_sign(VecF64 x, VecF64 y) {
        const auto sign = vandq_u64(vreinterpretq_u64_f64(y.v), vreinterpretq_u64_f64(vdupq_n_f64(T(-0.0))));
        return {vreinterpretq_f64_u64(vorrq_u64(vreinterpretq_u64_f64(x.v), sign))};
    }
    static VecF64 split_exponent(VecF64 x, VecF64& mantissa) {
        const uint64x2_t root_half = vdupq_n_u64(0x3fe6a09e667f3bcc);
        const uint64x2_t bits =
            vaddq_u64(vreinterpretq_u64_f64(x.v), vdupq_n_u64(0x3ff0000000000000 - 0x3fe6a09e667f3bcc));
        const uint64x2_t fraction = vandq_u64(bits, vdupq_n_u64(0xfffffffffffff));
        mantissa = {vreinterpretq_f64_u64(vaddq_u64(fraction, root_half))};
        return {vsubq_f64(vcvtq_f64_u64(vshrq_n_u64(bits, 52)), vdupq_n_f64(1023.0))};
    }
    static VecF64 keep_where_above(Words w, std::uint32_t bound, VecF64 x) {
        const int32x2_t kept = vreinterpret_s32_u32(vcgt_u32(w.v, vdup_n_u32(bound)));
        return {vbslq_f64(vreinterpretq_u64_s64(vmovl_s32(kept)), x.v, vdupq_n_f64(0))};
    }
    static VecF64 power_of_two(VecF64 n) {
        const int64x2_t exponent = vaddq_s64(vcvtq_s64_f64(n.v), vdupq_n_s64(1023));
        return {vreinterpretq_f64_s64(vshlq_n_s64(exponent, 52))};
    }
    static void load_transposed(const T* p, std::int64_t stride, VecF64 (&block)[lanes]) {
        const float64x2_t r0 = vld1q_f64(p);
        const float64x2_t r1 = vld1q_f64(p + stride);
        block[0].v = vzip1q_f64(r0, r1);
        block[1].v = vzip2q_f64(r0, r1);
    }
    struct Totals {
        float64x2_t all = vdupq_n_f64(0);
        void add_products(VecF64 x, VecF64 y) { all = vfmaq_f64(all, x.v, y.v); }
        void store(double* p) const { vst1q_f64(p, all); }
    };
};

}  // namespace ne_torch::neon
