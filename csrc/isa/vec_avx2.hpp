// V for AVX2 with FMA: 8 floats or 4 doubles, masks as vectors of sign bits.
#pragma once

#include <immintrin.h>

namespace ne_torch::avx2 {

struct VecF32 {
    using T = float;
    using Mask = __m256i;
    static constexpr int lanes = 8;
    static constexpr int max_rows =
        6;  // 12 accumulators + 2 vectors of B + a broadcast of A, of 16 registers
    static constexpr int max_vectors = 2;

    __m256 v;

    static Mask first(int n) {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    static VecF32 load(const T* p) { return {_mm256_loadu_ps(p)}; }
    static VecF32 load(const T* p, Mask m) { return {_mm256_maskload_ps(p, m)}; }
    void store(T* p) const { _mm256_storeu_ps(p, v); }
    void store(T* p, Mask m) const { _mm256_maskstore_ps(p, m, v); }
    static VecF32 broadcast(T x) { return {_mm256_set1_ps(x)}; }

    friend VecF32 operator+(VecF32 a, VecF32 b) { return {_mm256_add_ps(a.v, b.v)}; }
    friend VecF32 operator-(VecF32 a, VecF32 b) { return {_mm256_sub_ps(a.v, b.v)}; }
    friend VecF32 operator*(VecF32 a, VecF32 b) { return {_mm256_mul_ps(a.v, b.v)}; }
    friend VecF32 operator/(VecF32 a, VecF32 b) { return {_mm256_div_ps(a.v, b.v)}; }
    static VecF32 fma(VecF32 a, VecF32 b, VecF32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
    static VecF32 max(VecF32 a, VecF32 b) { return {_mm256_max_ps(a.v, b.v)}; }
    static VecF32 min(VecF32 a, VecF32 b) { return {_mm256_min_ps(a.v, b.v)}; }
    static VecF32 zero_where_not_positive(VecF32 x, VecF32 y) {
        return {_mm256_and_ps(_mm256_cmp_ps(x.v, _mm256_setzero_ps(), _CMP_NLE_UQ), y.v)};
    }
    static VecF32 power_of_two(VecF32 n) {
        const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
        return {_mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23))};
    }
    static void interleave(VecF32 a, VecF32 b, VecF32& low, VecF32& high) {
        const __m256 even = _mm256_unpacklo_ps(a.v, b.v);
        const __m256 odd = _mm256_unpackhi_ps(a.v, b.v);
        low.v = _mm256_permute2f128_ps(even, odd, 0x20);
        high.v = _mm256_permute2f128_ps(even, odd, 0x31);
    }
    static void accumulate_squares(VecF32 x, double* total) {
        const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(x.v));
        const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(x.v, 1));
        _mm256_storeu_pd(total, _mm256_fmadd_pd(low, low, _mm256_loadu_pd(total)));
        _mm256_storeu_pd(total + 4, _mm256_fmadd_pd(high, high, _mm256_loadu_pd(total + 4)));
    }
};

struct VecF64 {
    using T = double;
    using Mask = __m256i;
    static constexpr int lanes = 4;
    static constexpr int max_rows = 6;
    static constexpr int max_vectors = 2;

    __m256d v;

    static Mask first(int n) {
        return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
    }
    static VecF64 load(const T* p) { return {_mm256_loadu_pd(p)}; }
    static VecF64 load(const T* p, Mask m) { return {_mm256_maskload_pd(p, m)}; }
    void store(T* p) const { _mm256_storeu_pd(p, v); }
    void store(T* p, Mask m) const { _mm256_maskstore_pd(p, m, v); }
    static VecF64 broadcast(T x) { return {_mm256_set1_pd(x)}; }

    friend VecF64 operator+(VecF64 a, VecF64 b) { return {_mm256_add_pd(a.v, b.v)}; }
    friend VecF64 operator-(VecF64 a, VecF64 b) { return {_mm256_sub_pd(a.v, b.v)}; }
    friend VecF64 operator*(VecF64 a, VecF64 b) { return {_mm256_mul_pd(a.v, b.v)}; }
    friend VecF64 operator/(VecF64 a, VecF64 b) { return {_mm256_div_pd(a.v, b.v)}; }
    static VecF64 fma(VecF64 a, VecF64 b, VecF64 c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
    static VecF64 max(VecF64 a, VecF64 b) { return {_mm256_max_pd(a.v, b.v)}; }
    static VecF64 min(VecF64 a, VecF64 b) { return {_mm256_min_pd(a.v, b.v)}; }
    static VecF64 zero_where_not_positive(VecF64 x, VecF64 y) {
        return {_mm256_and_pd(_mm256_cmp_pd(x.v, _mm256_setzero_pd(), _CMP_NLE_UQ), y.v)};
    }
    static VecF64 power_of_two(VecF64 n) {
        const __m256i exponent =
            _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(n.v)), _mm256_set1_epi64x(1023));
        return {_mm256_castsi256_pd(_mm256_slli_epi64(exponent, 52))};
    }
    static void interleave(VecF64 a, VecF64 b, VecF64& low, VecF64& high) {
        const __m256d even = _mm256_unpacklo_pd(a.v, b.v);
        const __m256d odd = _mm256_unpackhi_pd(a.v, b.v);
        low.v = _mm256_permute2f128_pd(even, odd, 0x20);
        high.v = _mm256_permute2f128_pd(even, odd, 0x31);
    }
    static void accumulate_squares(VecF64 x, double* total) {
        _mm256_storeu_pd(total, _mm256_fmadd_pd(x.v, x.v, _mm256_loadu_pd(total)));
    }
};

}  // namespace ne_torch::avx2
