// 32-bit words for AVX2: 8 of them beside floats; beside doubles 4, each in the lower half of its lane.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace ne_torch::avx2 {

struct WordsF32 {
    __m256i v;

    static WordsF32 broadcast(std::uint32_t x) { return {_mm256_set1_epi32(static_cast<int>(x))}; }
    static WordsF32 counting(std::uint32_t first) {
        return {_mm256_add_epi32(broadcast(first).v, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))};
    }
    friend WordsF32 operator^(WordsF32 a, WordsF32 b) { return {_mm256_xor_si256(a.v, b.v)}; }
    static void multiply(WordsF32 a, std::uint32_t by, WordsF32& high, WordsF32& low) {
        const __m256i factor = broadcast(by).v;
        const __m256i even = _mm256_mul_epu32(a.v, factor);
        const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a.v, 32), factor);
        high.v = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
        low.v = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
    }
};

struct WordsF64 {
    __m256i v;

    static WordsF64 broadcast(std::uint32_t x) { return {_mm256_set1_epi64x(x)}; }
    static WordsF64 counting(std::uint32_t first) {
        return {_mm256_setr_epi64x(first, first + 1, first + 2, first + 3)};
    }
    friend WordsF64 operator^(WordsF64 a, WordsF64 b) { return {_mm256_xor_si256(a.v, b.v)}; }
    static void multiply(WordsF64 a, std::uint32_t by, WordsF64& high, WordsF64& low) {
        const __m256i product = _mm256_mul_epu32(a.v, broadcast(by).v);
        high.v = _mm256_srli_epi64(product, 32);
        low.v = _mm256_and_si256(product, broadcast(0xffffffff).v);
    }
};

}  // namespace ne_torch::avx2
