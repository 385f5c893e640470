// 32-bit words for AVX-512: 16 of them beside floats; beside doubles 8, each in the lower half of its lane.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace ne_torch::avx512 {

struct WordsF32 {
    __m512i v;

    static WordsF32 broadcast(std::uint32_t x) { return {_mm512_set1_epi32(static_cast<int>(x))}; }
    static WordsF32 counting(std::uint32_t first) {
        const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        return {_mm512_add_epi32(broadcast(first).v, lane)};
    }
    friend WordsF32 operator^(WordsF32 a, WordsF32 b) { return {_mm512_xor_si512(a.v, b.v)}; }
    static void multiply(WordsF32 a, std::uint32_t by, WordsF32& high, WordsF32& low) {
        const __m512i factor = broadcast(by).v;
        const __m512i even = _mm512_mul_epu32(a.v, factor);
        const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), factor);
        high.v = _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xaaaa, odd);
        low.v = _mm512_mask_mov_epi32(even, 0xaaaa, _mm512_slli_epi64(odd, 32));
    }
};

struct WordsF64 {
    __m512i v;

    static WordsF64 broadcast(std::uint32_t x) { return {_mm512_set1_epi64(x)}; }
    static WordsF64 counting(std::uint32_t first) {
        return {_mm512_setr_epi64(first, first + 1, first + 2, first + 3, first + 4, first + 5, first + 6,
                                  first + 7)};
    }
    friend WordsF64 operator^(WordsF64 a, WordsF64 b) { return {_mm512_xor_si512(a.v, b.v)}; }
    static void multiply(WordsF64 a, std::uint32_t by, WordsF64& high, WordsF64& low) {
        const __m512i product = _mm512_mul_epu32(a.v, broadcast(by).v);
        high.v = _mm512_srli_epi64(product, 32);
        low.v = _mm512_and_si512(product, broadcast(0xffffffff).v);
    }
};

}  // namespace ne_torch::avx512
