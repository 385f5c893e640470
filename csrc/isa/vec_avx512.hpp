// V for AVX-512F: 16 floats or 8 doubles, masks in mask registers.
#pragma once

#include <immintrin.h>

namespace ne_torch::avx512 {

struct VecF32 {
    using T = float;
    using Mask = __mmask16;
    static constexpr int lanes = 16;
    static constexpr int max_rows =
        12;  // 24 accumulators + 2 vectors of B + broadcasts of A, of 32 registers
    static constexpr int max_vectors = 2;

    __m512 v;

    static Mask first(int n) { return static_cast<Mask>((1u << n) - 1u); }
    static VecF32 load(const T* p) { return {_mm512_loadu_ps(p)}; }
    static VecF32 load(const T* p, Mask m) { return {_mm512_maskz_loadu_ps(m, p)}; }
    void store(T* p) const { _mm512_storeu_ps(p, v); }
    void store(T* p, Mask m) const { _mm512_mask_storeu_ps(p, m, v); }
    static VecF32 broadcast(T x) { return {_mm512_set1_ps(x)}; }

    friend VecF32 operator+(VecF32 a, VecF32 b) { return {_mm512_add_ps(a.v, b.v)}; }
    friend VecF32 operator-(VecF32 a, VecF32 b) { return {_mm512_sub_ps(a.v, b.v)}; }
    friend VecF32 operator*(VecF32 a, VecF32 b) { return {_mm512_mul_ps(a.v, b.v)}; }
    friend VecF32 operator/(VecF32 a, VecF32 b) { return {_mm512_div_ps(a.v, b.v)}; }
    static VecF32 fma(VecF32 a, VecF32 b, VecF32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
    static VecF32 max(VecF32 a, VecF32 b) { return {_mm512_max_ps(a.v, b.v)}; }
    static VecF32 min(VecF32 a, VecF32 b) { return {_mm512_min_ps(a.v, b.v)}; }
    static VecF32 zero_where_not_positive(VecF32 x, VecF32 y) {
        return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x.v, _mm512_setzero_ps(), _CMP_NLE_UQ), y.v)};
    }
    static VecF32 power_of_two(VecF32 n) {
        const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(127));
        return {_mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23))};
    }
    static void interleave(VecF32 a, VecF32 b, VecF32& low, VecF32& high) {
        const __m512i lo = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const __m512i hi = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        low.v = _mm512_permutex2var_ps(a.v, lo, b.v);
        high.v = _mm512_permutex2var_ps(a.v, hi, b.v);
    }
    static void accumulate_squares(VecF32 x, double* total) {
        const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(x.v));
        const __m512d high =
            _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x.v), 1)));
        _mm512_storeu_pd(total, _mm512_fmadd_pd(low, low, _mm512_loadu_pd(total)));
        _mm512_storeu_pd(total + 8, _mm512_fmadd_pd(high, high, _mm512_loadu_pd(total + 8)));
    }
};

struct VecF64 {
    using T = double;
    using Mask = __mmask8;
    static constexpr int lanes = 8;
    static constexpr int max_rows = 12;
    static constexpr int max_vectors = 2;

    __m512d v;

    static Mask first(int n) { return static_cast<Mask>((1u << n) - 1u); }
    static VecF64 load(const T* p) { return {_mm512_loadu_pd(p)}; }
    static VecF64 load(const T* p, Mask m) { return {_mm512_maskz_loadu_pd(m, p)}; }
    void store(T* p) const { _mm512_storeu_pd(p, v); }
    void store(T* p, Mask m) const { _mm512_mask_storeu_pd(p, m, v); }
    static VecF64 broadcast(T x) { return {_mm512_set1_pd(x)}; }

    friend VecF64 operator+(VecF64 a, VecF64 b) { return {_mm512_add_pd(a.v, b.v)}; }
    friend VecF64 operator-(VecF64 a, VecF64 b) { return {_mm512_sub_pd(a.v, b.v)}; }
    friend VecF64 operator*(VecF64 a, VecF64 b) { return {_mm512_mul_pd(a.v, b.v)}; }
    friend VecF64 operator/(VecF64 a, VecF64 b) { return {_mm512_div_pd(a.v, b.v)}; }
    static VecF64 fma(VecF64 a, VecF64 b, VecF64 c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
    static VecF64 max(VecF64 a, VecF64 b) { return {_mm512_max_pd(a.v, b.v)}; }
    static VecF64 min(VecF64 a, VecF64 b) { return {_mm512_min_pd(a.v, b.v)}; }
    static VecF64 zero_where_not_positive(VecF64 x, VecF64 y) {
        return {_mm512_maskz_mov_pd(_mm512_cmp_pd_mask(x.v, _mm512_setzero_pd(), _CMP_NLE_UQ), y.v)};
    }
    static VecF64 power_of_two(VecF64 n) {
        const __m512i exponent =
            _mm512_add_epi64(_mm512_cvtepi32_epi64(_mm512_cvtpd_epi32(n.v)), _mm512_set1_epi64(1023));
        return {_mm512_castsi512_pd(_mm512_slli_epi64(exponent, 52))};
    }
    static void interleave(VecF64 a, VecF64 b, VecF64& low, VecF64& high) {
        const __m512i lo = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
        const __m512i hi = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
        low.v = _mm512_permutex2var_pd(a.v, lo, b.v);
        high.v = _mm512_permutex2var_pd(a.v, hi, b.v);
    }
    static void accumulate_squares(VecF64 x, double* total) {
        _mm512_storeu_pd(total, _mm512_fmadd_pd(x.v, x.v, _mm512_loadu_pd(total)));
    }
};

}  // namespace ne_torch::avx512
