// 32-bit words for AArch64's Advanced SIMD: 4 of them beside floats, 2 beside doubles.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace ne_torch::neon {

struct WordsF32 {
    uint32x4_t v;

    static WordsF32 broadcast(std::uint32_t x) { return {vdupq_n_u32(x)}; }
    static WordsF32 counting(std::uint32_t first) {
        const std::uint32_t lane[4] = {0, 1, 2, 3};
        return {vaddq_u32(vdupq_n_u32(first), vld1q_u32(lane))};
    }
    friend WordsF32 operator^(WordsF32 a, WordsF32 b) { return {veorq_u32(a.v, b.v)}; }
    static void multiply(WordsF32 a, std::uint32_t by, WordsF32& high, WordsF32& low) {
        const uint32x4_t first = vreinterpretq_u32_u64(vmull_n_u32(vget_low_u32(a.v), by));
        const uint32x4_t second = vreinterpretq_u32_u64(vmull_n_u32(vget_high_u32(a.v), by));
        high.v = vuzp2q_u32(first, second);
        low.v = vuzp1q_u32(first, second);
    }
};

struct WordsF64 {
    uint32x2_t v;

    static WordsF64 broadcast(std::uint32_t x) { return {vdup_n_u32(x)}; }
    static WordsF64 counting(std::uint32_t first) {
        const std::uint32_t lane[2] = {0, 1};
        return {vadd_u32(vdup_n_u32(first), vld1_u32(lane))};
    }
    friend WordsF64 operator^(WordsF64 a, WordsF64 b) { return {veor_u32(a.v, b.v)}; }
    static void multiply(WordsF64 a, std::uint32_t by, WordsF64& high, WordsF64& low) {
        const uint64x2_t product = vmull_n_u32(a.v, by);
        high.v = vshrn_n_u64(product, 32);
        low.v = vmovn_u64(product);
    }
};

}  // namespace ne_torch::neon
