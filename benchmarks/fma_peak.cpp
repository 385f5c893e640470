// The FMA peak of one thread in float32: independent chains in registers, nothing else. Prints GFLOP/s.
#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#ifdef __AVX512F__
using Vec = __m512;
static Vec set(float x) { return _mm512_set1_ps(x); }
static Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
#else
using Vec = __m256;
static Vec set(float x) { return _mm256_set1_ps(x); }
static Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
#endif

int main() {
    constexpr long rounds = 400000;
    constexpr int chains = 12;
    const Vec x = set(0.999f);
    const Vec y = set(0.001f);
    Vec a0 = set(0), a1 = set(1), a2 = set(2), a3 = set(3), a4 = set(4), a5 = set(5);
    Vec a6 = set(6), a7 = set(7), a8 = set(8), a9 = set(9), a10 = set(10), a11 = set(11);
    double best = 0;
    for (int repeat = 0; repeat < 60; ++repeat) {
        const auto begin = std::chrono::steady_clock::now();
        for (long i = 0; i < rounds; ++i) {
            a0 = fma(a0, x, y), a1 = fma(a1, x, y), a2 = fma(a2, x, y), a3 = fma(a3, x, y);
            a4 = fma(a4, x, y), a5 = fma(a5, x, y), a6 = fma(a6, x, y), a7 = fma(a7, x, y);
            a8 = fma(a8, x, y), a9 = fma(a9, x, y), a10 = fma(a10, x, y), a11 = fma(a11, x, y);
        }
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
        const double lanes = sizeof(Vec) / sizeof(float);
        best = std::max(best, 2 * lanes * chains * rounds / time.count() * 1e-9);
    }
    float sink[sizeof(Vec) / sizeof(float)];
    for (const Vec& a : {a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11}) {
        __builtin_memcpy(sink, &a, sizeof(sink));
        asm volatile("" ::"r"(sink) : "memory");
    }
    std::printf("%.2f\n", best);
}
