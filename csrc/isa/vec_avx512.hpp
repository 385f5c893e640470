// V for AVX-512F: 16 floats or 8 doubles, masks in mask registers.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "core/compiler.hpp"
#include "isa/vec_avx512_words.hpp"

namespace ne_torch::avx512 {

struct VecF32 {
    using T = float;
    using Words = WordsF32;
    using Mask = __mmask16;
    static constexpr int lanes = 16;
    static constexpr int max_rows = 6;  // 24 accumulators + 4 vectors of B + broadcasts of A, of 32 registers
    static constexpr int max_vectors = 4;

    __m512 v;

    static void clear_upper_halves() { _mm256_zeroupper(); }
    static Mask first(int n) { return static_cast<Mask>((1u << n) - 1u); }
    static VecF32 load(const T* p) { return {_mm512_loadu_ps(p)}; }
    static VecF32 load(const T* p, Mask m) { return {_mm512_maskz_loadu_ps(m, p)}; }
    static VecF32 load(const std::uint16_t* p) {
        const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16))};
    }
    static VecF32 load(const std::int8_t* p) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes))};
    }
    static VecF32 load(const std::uint8_t* p) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes))};
    }
    void store(T* p) const { _mm512_storeu_ps(p, v); }
    void store(T* p, Mask m) const { _mm512_mask_storeu_ps(p, m, v); }
    static VecF32 broadcast(T x) { return {_mm512_set1_ps(x)}; }

    friend VecF32 operator+(VecF32 a, VecF32 b) { return {_mm512_add_ps(a.v, b.v)}; }
    friend VecF32 operator-(VecF32 a, VecF32 b) { return {_mm512_sub_ps(a.v, b.v)}; }
    friend VecF32 operator*(VecF32 a, VecF32 b) { return {_mm512_mul_ps(a.v, b.v)}; }
    friend VecF32 operator/(VecF32 a, VecF32 b) { return {_mm512_div_ps(a.v, b.v)}; }
    static VecF32 sqrt(VecF32 a) { return {_mm512_sqrt_ps(a.v)}; }
    static VecF32 fma(VecF32 a, VecF32 b, VecF32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
    static VecF32 max(VecF32 a, VecF32 b) { return {_mm512_max_ps(a.v, b.v)}; }
    static VecF32 min(VecF32 a, VecF32 b) { return {_mm512_min_ps(a.v, b.v)}; }
    static VecF32 zero_where_not_positive(VecF32 x, VecF32 y) {
        return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x.v, _mm512_setzero_ps(), _CMP_NLE_UQ), y.v)};
    }
    static VecF32 where_less(VecF32 a, VecF32 b, VecF32 yes, VecF32 no) {
        return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), no.v, yes.v)};
    }
    static VecF32 abs(VecF32 x) { return {_mm512_abs_ps(x.v)}; }
    static VecF32 or_sign(VecF32 x, VecF32 y) {
        return {_mm512_or_ps(x.v, _mm512_and_ps(_mm512_set1_ps(T(-0.0)), y.v))};
    }
    // the biased exponent becomes a number in the mantissa of 2^23
    static VecF32 split_exponent(VecF32 x, VecF32& mantissa) {
        const __m512i root_half = _mm512_set1_epi32(0x3f3504f3);
        const __m512i bits =
            _mm512_add_epi32(_mm512_castps_si512(x.v), _mm512_set1_epi32(0x3f800000 - 0x3f3504f3));
        const __m512i fraction = _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffff));
        mantissa = {_mm512_castsi512_ps(_mm512_add_epi32(fraction, root_half))};
        const __m512i exponent = _mm512_or_si512(_mm512_srli_epi32(bits, 23), _mm512_set1_epi32(0x4b000000));
        return {_mm512_sub_ps(_mm512_castsi512_ps(exponent), _mm512_set1_ps(8388608.0f + 127.0f))};
    }
    static VecF32 keep_where_above(Words w, std::uint32_t bound, VecF32 x) {
        return {_mm512_maskz_mov_ps(_mm512_cmpgt_epu32_mask(w.v, Words::broadcast(bound).v), x.v)};
    }
    static VecF32 power_of_two(VecF32 n) {
        const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(127));
        return {_mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23))};
    }
    // Rows i and i + 4 meet in one register by loads alone, half a row each, so that a line is read in two
    // loads that follow each other; then quarters of four rows meet, and the quarters are transposed.
    static NE_TORCH_INLINE void load_transposed(const T* p, std::int64_t stride, VecF32 (&block)[lanes]) {
        __m512 pair[2][8];
#pragma GCC unroll 8
        for (int i = 0; i < 8; ++i) {
            const T* const row = p + (i < 4 ? i : i + 4) * stride;
#pragma GCC unroll 2
            for (int h = 0; h < 2; ++h) {
                pair[h][i] = halves(_mm256_loadu_ps(row + 8 * h), _mm256_loadu_ps(row + 4 * stride + 8 * h));
            }
        }
        transpose_pairs(pair[0], block);
        transpose_pairs(pair[1], block + 8);
    }
    // The same of rows anywhere, of which the first columns count; anything elsewhere.
    static NE_TORCH_INLINE void load_transposed(const T* const (&row)[lanes], Mask columns,
                                                VecF32 (&block)[lanes]) {
#pragma GCC unroll 2
        for (int h = 0; h < 2; ++h) {
            const auto mask = static_cast<__mmask8>(columns >> 8 * h);
            if (mask == 0) return;
            __m512 pair[8];
#pragma GCC unroll 8
            for (int i = 0; i < 8; ++i) {
                const int low = i < 4 ? i : i + 4;
                pair[i] = halves(_mm256_maskz_loadu_ps(mask, row[low] + 8 * h),
                                 _mm256_maskz_loadu_ps(mask, row[low + 4] + 8 * h));
            }
            transpose_pairs(pair, block + 8 * h, mask > 15);
        }
    }
    static NE_TORCH_INLINE void transpose_pairs(const __m512 (&pair)[8], VecF32* block, bool both = true) {
        __m512 quarter[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) quarter[j] = _mm512_shuffle_f32x4(pair[j], pair[j + 4], 0x88);
        transpose_quarters(quarter, block);
        if (!both) return;
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) quarter[j] = _mm512_shuffle_f32x4(pair[j], pair[j + 4], 0xdd);
        transpose_quarters(quarter, block + 4);
    }
    static __m512 halves(__m256 low, __m256 high) {
        const __m512d both = _mm512_castps_pd(_mm512_castps256_ps512(low));
        return _mm512_castpd_ps(_mm512_insertf64x4(both, _mm256_castps_pd(high), 1));
    }
    static void transpose_quarters(const __m512 (&r)[4], VecF32* block) {
        const __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(r[0], r[1]));
        const __m512d high01 = _mm512_castps_pd(_mm512_unpackhi_ps(r[0], r[1]));
        const __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(r[2], r[3]));
        const __m512d high23 = _mm512_castps_pd(_mm512_unpackhi_ps(r[2], r[3]));
        block[0].v = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
        block[1].v = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
        block[2].v = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
        block[3].v = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
    }
    struct Totals {
        __m512d low = _mm512_setzero_pd(), high = _mm512_setzero_pd();
        void add_products(VecF32 x, VecF32 y) {
            const auto wide_low = [](VecF32 a) { return _mm512_cvtps_pd(_mm512_castps512_ps256(a.v)); };
            const auto wide_high = [](VecF32 a) {
                return _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a.v), 1)));
            };
            low = _mm512_fmadd_pd(wide_low(x), wide_low(y), low);
            high = _mm512_fmadd_pd(wide_high(x), wide_high(y), high);
        }
        void store(double* p) const {
            _mm512_storeu_pd(p, low);
            _mm512_storeu_pd(p + 8, high);
        }
    };
};

struct VecF64 {
    using T = double;
    using Words = WordsF64;
    using Mask = __mmask8;
    static constexpr int lanes = 8;
    static constexpr int max_rows = 6;
    static constexpr int max_vectors = 4;

    __m512d v;

    static void clear_upper_halves() { _mm256_zeroupper(); }
    static Mask first(int n) { return static_cast<Mask>((1u << n) - 1u); }
    static VecF64 load(const T* p) { return {_mm512_loadu_pd(p)}; }
    static VecF64 load(const T* p, Mask m) { return {_mm512_maskz_loadu_pd(m, p)}; }
    static VecF64 load(const std::uint8_t* p) {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
        return {_mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(bytes))};
    }
    void store(T* p) const { _mm512_storeu_pd(p, v); }
    void store(T* p, Mask m) const { _mm512_mask_storeu_pd(p, m, v); }
    static VecF64 broadcast(T x) { return {_mm512_set1_pd(x)}; }

    friend VecF64 operator+(VecF64 a, VecF64 b) { return {_mm512_add_pd(a.v, b.v)}; }
    friend VecF64 operator-(VecF64 a, VecF64 b) { return {_mm512_sub_pd(a.v, b.v)}; }
    friend VecF64 operator*(VecF64 a, VecF64 b) { return {_mm512_mul_pd(a.v, b.v)}; }
    friend VecF64 operator/(VecF64 a, VecF64 b) { return {_mm512_div_pd(a.v, b.v)}; }
    static VecF64 sqrt(VecF64 a) { return {_mm512_sqrt_pd(a.v)}; }
    static VecF64 fma(VecF64 a, VecF64 b, VecF64 c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
    static VecF64 max(VecF64 a, VecF64 b) { return {_mm512_max_pd(a.v, b.v)}; }
    static VecF64 min(VecF64 a, VecF64 b) { return {_mm512_min_pd(a.v, b.v)}; }
    static VecF64 zero_where_not_positive(VecF64 x, VecF64 y) {
        return {_mm512_maskz_mov_pd(_mm512_cmp_pd_mask(x.v, _mm512_setzero_pd(), _CMP_NLE_UQ), y.v)};
    }
    static VecF64 where_less(VecF64 a, VecF64 b, VecF64 yes, VecF64 no) {
        return {_mm512_mask_blend_pd(_mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ), no.v, yes.v)};
    }
    static VecF64 abs(VecF64 x) { return {_mm512_abs_pd(x.v)}; }
    static VecF64 or_sign(VecF64 x, VecF64 y) {
        return {_mm512_or_pd(x.v, _mm512_and_pd(_mm512_set1_pd(T(-0.0)), y.v))};
    }
    // the biased exponent becomes a number in the mantissa of 2^52
    static VecF64 split_exponent(VecF64 x, VecF64& mantissa) {
        const __m512i root_half = _mm512_set1_epi64(0x3fe6a09e667f3bcc);
        const __m512i bits = _mm512_add_epi64(_mm512_castpd_si512(x.v),
                                              _mm512_set1_epi64(0x3ff0000000000000 - 0x3fe6a09e667f3bcc));
        const __m512i fraction = _mm512_and_si512(bits, _mm512_set1_epi64(0xfffffffffffff));
        mantissa = {_mm512_castsi512_pd(_mm512_add_epi64(fraction, root_half))};
        const __m512i exponent =
            _mm512_or_si512(_mm512_srli_epi64(bits, 52), _mm512_set1_epi64(0x4330000000000000));
        return {_mm512_sub_pd(_mm512_castsi512_pd(exponent), _mm512_set1_pd(4503599627370496.0 + 1023.0))};
    }
    static VecF64 keep_where_above(Words w, std::uint32_t bound, VecF64 x) {
        return {_mm512_maskz_mov_pd(_mm512_cmpgt_epu64_mask(w.v, Words::broadcast(bound).v), x.v)};
    }
    static VecF64 power_of_two(VecF64 n) {
        const __m512i exponent =
            _mm512_add_epi64(_mm512_cvtepi32_epi64(_mm512_cvtpd_epi32(n.v)), _mm512_set1_epi64(1023));
        return {_mm512_castsi512_pd(_mm512_slli_epi64(exponent, 52))};
    }
    // as for floats: rows i and i + 2 meet by loads, then quarters of four rows
    static NE_TORCH_INLINE void load_transposed(const T* p, std::int64_t stride, VecF64 (&block)[lanes]) {
        __m512d pair[2][4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            const T* const row = p + (i < 2 ? i : i + 2) * stride;
#pragma GCC unroll 2
            for (int h = 0; h < 2; ++h) {
                pair[h][i] = halves(_mm256_loadu_pd(row + 4 * h), _mm256_loadu_pd(row + 2 * stride + 4 * h));
            }
        }
        transpose_pairs(pair[0], block);
        transpose_pairs(pair[1], block + 4);
    }
    static NE_TORCH_INLINE void load_transposed(const T* const (&row)[lanes], Mask columns,
                                                VecF64 (&block)[lanes]) {
#pragma GCC unroll 2
        for (int h = 0; h < 2; ++h) {
            const auto mask = static_cast<__mmask8>(columns >> 4 * h);
            if (mask == 0) return;
            __m512d pair[4];
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) {
                const int low = i < 2 ? i : i + 2;
                pair[i] = halves(_mm256_maskz_loadu_pd(mask, row[low] + 4 * h),
                                 _mm256_maskz_loadu_pd(mask, row[low + 2] + 4 * h));
            }
            transpose_pairs(pair, block + 4 * h);
        }
    }
    static void transpose_pairs(const __m512d (&pair)[4], VecF64* block) {
        const __m512d even = _mm512_shuffle_f64x2(pair[0], pair[2], 0x88);
        const __m512d odd = _mm512_shuffle_f64x2(pair[1], pair[3], 0x88);
        const __m512d even2 = _mm512_shuffle_f64x2(pair[0], pair[2], 0xdd);
        const __m512d odd2 = _mm512_shuffle_f64x2(pair[1], pair[3], 0xdd);
        block[0].v = _mm512_unpacklo_pd(even, odd);
        block[1].v = _mm512_unpackhi_pd(even, odd);
        block[2].v = _mm512_unpacklo_pd(even2, odd2);
        block[3].v = _mm512_unpackhi_pd(even2, odd2);
    }
    static __m512d halves(__m256d low, __m256d high) {
        return _mm512_insertf64x4(_mm512_castpd256_pd512(low), high, 1);
    }
    struct Totals {
        __m512d all = _mm512_setzero_pd();
        void add_products(VecF64 x, VecF64 y) { all = _mm512_fmadd_pd(x.v, y.v, all); }
        void store(double* p) const { _mm512_storeu_pd(p, all); }
    };
};

}  // namespace ne_torch::avx512
