// V for AVX2 with FMA: 8 floats or 4 doubles, masks as vectors of sign bits.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "core/compiler.hpp"
#include "isa/vec_avx2_words.hpp"

namespace ne_torch::avx2 {

struct VecF32 {
    using T = float;
    using Words = WordsF32;
    using Mask = __m256i;
    static constexpr int lanes = 8;
    static constexpr int max_rows =
        6;  // 12 accumulators + 2 vectors of B + a broadcast of A, of 16 registers
    static constexpr int max_vectors = 2;

    __m256 v;

    static void clear_upper_halves() { _mm256_zeroupper(); }
    static Mask first(int n) {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    static VecF32 load(const T* p) { return {_mm256_loadu_ps(p)}; }
    static VecF32 load(const T* p, Mask m) { return {_mm256_maskload_ps(p, m)}; }
    static VecF32 load(const std::uint16_t* p) {
        const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16))};
    }
    static VecF32 load(const std::int8_t* p) {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
        return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes))};
    }
    static VecF32 load(const std::uint8_t* p) {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
        return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes))};
    }
    void store(T* p) const { _mm256_storeu_ps(p, v); }
    // Masked stores take 12 cycles on some processors.
    NE_TORCH_INLINE void store(T* p, Mask m) const {
        int bits = _mm256_movemask_ps(_mm256_castsi256_ps(m));
        if (bits == 255) return store(p);
        __m128 rest = _mm256_castps256_ps128(v);
        if (bits & 8) {
            _mm_storeu_ps(p, rest);
            rest = _mm256_extractf128_ps(v, 1);
            p += 4;
            bits >>= 4;
        }
        if (bits & 2) {
            _mm_storel_pi(reinterpret_cast<__m64*>(p), rest);
            rest = _mm_movehl_ps(rest, rest);
            p += 2;
            bits >>= 2;
        }
        if (bits & 1) _mm_store_ss(p, rest);
    }
    static VecF32 broadcast(T x) { return {_mm256_set1_ps(x)}; }

    friend VecF32 operator+(VecF32 a, VecF32 b) { return {_mm256_add_ps(a.v, b.v)}; }
    friend VecF32 operator-(VecF32 a, VecF32 b) { return {_mm256_sub_ps(a.v, b.v)}; }
    friend VecF32 operator*(VecF32 a, VecF32 b) { return {_mm256_mul_ps(a.v, b.v)}; }
    friend VecF32 operator/(VecF32 a, VecF32 b) { return {_mm256_div_ps(a.v, b.v)}; }
    static VecF32 sqrt(VecF32 a) { return {_mm256_sqrt_ps(a.v)}; }
    static VecF32 fma(VecF32 a, VecF32 b, VecF32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
    static VecF32 max(VecF32 a, VecF32 b) { return {_mm256_max_ps(a.v, b.v)}; }
    static VecF32 min(VecF32 a, VecF32 b) { return {_mm256_min_ps(a.v, b.v)}; }
    static VecF32 zero_where_not_positive(VecF32 x, VecF32 y) {
        return {_mm256_and_ps(_mm256_cmp_ps(x.v, _mm256_setzero_ps(), _CMP_NLE_UQ), y.v)};
    }
    static VecF32 where_less(VecF32 a, VecF32 b, VecF32 yes, VecF32 no) {
        return {_mm256_blendv_ps(no.v, yes.v, _mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ))};
    }
    static VecF32 abs(VecF32 x) { return {_mm256_andnot_ps(_mm256_set1_ps(T(-0.0)), x.v)}; }
    static VecF32 or_sign(VecF32 x, VecF32 y) {
        return {_mm256_or_ps(x.v, _mm256_and_ps(_mm256_set1_ps(T(-0.0)), y.v))};
    }
    // the biased exponent becomes a number in the mantissa of 2^23
    static VecF32 split_exponent(VecF32 x, VecF32& mantissa) {
        const __m256i root_half = _mm256_set1_epi32(0x3f3504f3);
        const __m256i bits =
            _mm256_add_epi32(_mm256_castps_si256(x.v), _mm256_set1_epi32(0x3f800000 - 0x3f3504f3));
        const __m256i fraction = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffff));
        mantissa = {_mm256_castsi256_ps(_mm256_add_epi32(fraction, root_half))};
        const __m256i exponent = _mm256_or_si256(_mm256_srli_epi32(bits, 23), _mm256_set1_epi32(0x4b000000));
        return {_mm256_sub_ps(_mm256_castsi256_ps(exponent), _mm256_set1_ps(8388608.0f + 127.0f))};
    }
    static VecF32 keep_where_above(Words w, std::uint32_t bound, VecF32 x) {
        const __m256i highest = Words::broadcast(bound).v;
        const __m256i dropped = _mm256_cmpeq_epi32(_mm256_max_epu32(w.v, highest), highest);
        return {_mm256_andnot_ps(_mm256_castsi256_ps(dropped), x.v)};
    }
    static VecF32 power_of_two(VecF32 n) {
        const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
        return {_mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23))};
    }
    static NE_TORCH_INLINE __m256 halves(__m128 low, __m128 high) {
        return _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
    }
    // Columns of four: what is left to do where rows i and i + 4 have met in pair[i].
    static NE_TORCH_INLINE void transpose_pairs(const __m256 (&pair)[4], VecF32* columns) {
        const __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(pair[0], pair[1]));
        const __m256d high01 = _mm256_castps_pd(_mm256_unpackhi_ps(pair[0], pair[1]));
        const __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(pair[2], pair[3]));
        const __m256d high23 = _mm256_castps_pd(_mm256_unpackhi_ps(pair[2], pair[3]));
        columns[0].v = _mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23));
        columns[1].v = _mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23));
        columns[2].v = _mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23));
        columns[3].v = _mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23));
    }
    // Two rows meet in one register by loads alone; what is left is a 4 x 4 transpose within the halves.
    static NE_TORCH_INLINE void load_transposed(const T* p, std::int64_t stride, VecF32 (&block)[lanes]) {
        load_half_transposed(p, stride, block);
        load_half_transposed(p + 4, stride, block + 4);
    }
    // The first half of the columns, of all rows.
    static NE_TORCH_INLINE void load_half_transposed(const T* p, std::int64_t stride, VecF32* columns) {
        __m256 pair[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
            const T* row = p + j * stride;
            pair[j] = halves(_mm_loadu_ps(row), _mm_loadu_ps(row + 4 * stride));
        }
        transpose_pairs(pair, columns);
    }
    // The same of rows anywhere, of which the first columns count; anything elsewhere.
    static NE_TORCH_INLINE void load_transposed(const T* const (&row)[lanes], Mask columns,
                                                VecF32 (&block)[lanes]) {
        const __m128i masks[2] = {_mm256_castsi256_si128(columns), _mm256_extracti128_si256(columns, 1)};
#pragma GCC unroll 2
        for (int q = 0; q < 2; ++q) {
            if (_mm_testz_si128(masks[q], masks[q])) return;
            __m256 pair[4];
#pragma GCC unroll 4
            for (int j = 0; j < 4; ++j) {
                pair[j] = halves(_mm_maskload_ps(row[j] + 4 * q, masks[q]),
                                 _mm_maskload_ps(row[j + 4] + 4 * q, masks[q]));
            }
            transpose_pairs(pair, block + 4 * q);
        }
    }
    struct Totals {
        __m256d low = _mm256_setzero_pd(), high = _mm256_setzero_pd();
        void add_products(VecF32 x, VecF32 y) {
            const auto wide_low = [](VecF32 a) { return _mm256_cvtps_pd(_mm256_castps256_ps128(a.v)); };
            const auto wide_high = [](VecF32 a) { return _mm256_cvtps_pd(_mm256_extractf128_ps(a.v, 1)); };
            low = _mm256_fmadd_pd(wide_low(x), wide_low(y), low);
            high = _mm256_fmadd_pd(wide_high(x), wide_high(y), high);
        }
        void store(double* p) const {
            _mm256_storeu_pd(p, low);
            _mm256_storeu_pd(p + 4, high);
        }
    };
};

struct VecF64 {
    using T = double;
    using Words = WordsF64;
    using Mask = __m256i;
    static constexpr int lanes = 4;
    static constexpr int max_rows = 6;
    static constexpr int max_vectors = 2;

    __m256d v;

    static void clear_upper_halves() { _mm256_zeroupper(); }
    static Mask first(int n) {
        return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
    }
    static VecF64 load(const T* p) { return {_mm256_loadu_pd(p)}; }
    static VecF64 load(const T* p, Mask m) { return {_mm256_maskload_pd(p, m)}; }
    static VecF64 load(const std::uint8_t* p) {
        std::int32_t four;  // an unaligned load of 4 bytes
        __builtin_memcpy(&four, p, sizeof four);
        return {_mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(four)))};
    }
    void store(T* p) const { _mm256_storeu_pd(p, v); }
    NE_TORCH_INLINE void store(T* p, Mask m) const {
        int bits = _mm256_movemask_pd(_mm256_castsi256_pd(m));
        if (bits == 15) return store(p);
        __m128d rest = _mm256_castpd256_pd128(v);
        if (bits & 2) {
            _mm_storeu_pd(p, rest);
            rest = _mm256_extractf128_pd(v, 1);
            p += 2;
            bits >>= 2;
        }
        if (bits & 1) _mm_store_sd(p, rest);
    }
    static VecF64 broadcast(T x) { return {_mm256_set1_pd(x)}; }

    friend VecF64 operator+(VecF64 a, VecF64 b) { return {_mm256_add_pd(a.v, b.v)}; }
    friend VecF64 operator-(VecF64 a, VecF64 b) { return {_mm256_sub_pd(a.v, b.v)}; }
    friend VecF64 operator*(VecF64 a, VecF64 b) { return {_mm256_mul_pd(a.v, b.v)}; }
    friend VecF64 operator/(VecF64 a, VecF64 b) { return {_mm256_div_pd(a.v, b.v)}; }
    static VecF64 sqrt(VecF64 a) { return {_mm256_sqrt_pd(a.v)}; }
    static VecF64 fma(VecF64 a, VecF64 b, VecF64 c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
    static VecF64 max(VecF64 a, VecF64 b) { return {_mm256_max_pd(a.v, b.v)}; }
    static VecF64 min(VecF64 a, VecF64 b) { return {_mm256_min_pd(a.v, b.v)}; }
    static VecF64 zero_where_not_positive(VecF64 x, VecF64 y) {
        return {_mm256_and_pd(_mm256_cmp_pd(x.v, _mm256_setzero_pd(), _CMP_NLE_UQ), y.v)};
    }
    static VecF64 where_less(VecF64 a, VecF64 b, VecF64 yes, VecF64 no) {
        return {_mm256_blendv_pd(no.v, yes.v, _mm256_cmp_pd(a.v, b.v, _CMP_LT_OQ))};
    }
    static VecF64 abs(VecF64 x) { return {_mm256_andnot_pd(_mm256_set1_pd(T(-0.0)), x.v)}; }
    static VecF64 or_sign(VecF64 x, VecF64 y) {
        return {_mm256_or_pd(x.v, _mm256_and_pd(_mm256_set1_pd(T(-0.0)), y.v))};
    }
    // the biased exponent becomes a number in the mantissa of 2^52
    static VecF64 split_exponent(VecF64 x, VecF64& mantissa) {
        const __m256i root_half = _mm256_set1_epi64x(0x3fe6a09e667f3bcc);
        const __m256i bits = _mm256_add_epi64(_mm256_castpd_si256(x.v),
                                              _mm256_set1_epi64x(0x3ff0000000000000 - 0x3fe6a09e667f3bcc));
        const __m256i fraction = _mm256_and_si256(bits, _mm256_set1_epi64x(0xfffffffffffff));
        mantissa = {_mm256_castsi256_pd(_mm256_add_epi64(fraction, root_half))};
        const __m256i exponent =
            _mm256_or_si256(_mm256_srli_epi64(bits, 52), _mm256_set1_epi64x(0x4330000000000000));
        return {_mm256_sub_pd(_mm256_castsi256_pd(exponent), _mm256_set1_pd(4503599627370496.0 + 1023.0))};
    }
    static VecF64 keep_where_above(Words w, std::uint32_t bound, VecF64 x) {
        const __m256i kept = _mm256_cmpgt_epi64(w.v, Words::broadcast(bound).v);
        return {_mm256_and_pd(_mm256_castsi256_pd(kept), x.v)};
    }
    static VecF64 power_of_two(VecF64 n) {
        const __m256i exponent =
            _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(n.v)), _mm256_set1_epi64x(1023));
        return {_mm256_castsi256_pd(_mm256_slli_epi64(exponent, 52))};
    }
    static NE_TORCH_INLINE __m256d halves(__m128d low, __m128d high) {
        return _mm256_insertf128_pd(_mm256_castpd128_pd256(low), high, 1);
    }
    // as for floats: rows i and i + 2 meet by loads
    static NE_TORCH_INLINE void load_transposed(const T* p, std::int64_t stride, VecF64 (&block)[lanes]) {
#pragma GCC unroll 2
        for (int q = 0; q < 2; ++q) {
            const T* const row = p + 2 * q;
            const __m256d even = halves(_mm_loadu_pd(row), _mm_loadu_pd(row + 2 * stride));
            const __m256d odd = halves(_mm_loadu_pd(row + stride), _mm_loadu_pd(row + 3 * stride));
            block[2 * q].v = _mm256_unpacklo_pd(even, odd);
            block[2 * q + 1].v = _mm256_unpackhi_pd(even, odd);
        }
    }
    static NE_TORCH_INLINE void load_transposed(const T* const (&row)[lanes], Mask columns,
                                                VecF64 (&block)[lanes]) {
        const __m128i masks[2] = {_mm256_castsi256_si128(columns), _mm256_extracti128_si256(columns, 1)};
#pragma GCC unroll 2
        for (int q = 0; q < 2; ++q) {
            const auto half = [&](int i) { return _mm_maskload_pd(row[i] + 2 * q, masks[q]); };
            const __m256d even = halves(half(0), half(2)), odd = halves(half(1), half(3));
            block[2 * q].v = _mm256_unpacklo_pd(even, odd);
            block[2 * q + 1].v = _mm256_unpackhi_pd(even, odd);
        }
    }
    struct Totals {
        __m256d all = _mm256_setzero_pd();
        void add_products(VecF64 x, VecF64 y) { all = _mm256_fmadd_pd(x.v, y.v, all); }
        void store(double* p) const { _mm256_storeu_pd(p, all); }
    };
};

}  // namespace ne_torch::avx2
