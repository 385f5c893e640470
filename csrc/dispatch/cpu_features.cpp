#include "dispatch/cpu_features.hpp"

#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
#include <immintrin.h>
#include <intrin.h>
#endif

namespace ne_torch {

#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))

namespace {

bool bit(int word, int index) { return (static_cast<unsigned>(word) >> index) & 1u; }

// XCR0 says which registers the operating system saves at a context switch.
bool os_saves(unsigned long long state) {
    int leaf1[4];
    __cpuid(leaf1, 1);
    return bit(leaf1[2], 27) && (_xgetbv(0) & state) == state;
}

}  // namespace

bool cpu_has_fma() {
    int leaf1[4];
    __cpuid(leaf1, 1);
    return bit(leaf1[2], 12) && os_saves(0x6);
}

bool cpu_has_avx2_fma() {
    int leaf7[4];
    __cpuidex(leaf7, 7, 0);
    return cpu_has_fma() && bit(leaf7[1], 5);
}

bool cpu_has_avx512() {
    int leaf7[4];
    __cpuidex(leaf7, 7, 0);
    return cpu_has_avx2_fma() && os_saves(0xe6) && bit(leaf7[1], 16) && bit(leaf7[1], 17) &&
           bit(leaf7[1], 30) && bit(leaf7[1], 31);
}

#elif defined(__x86_64__) || defined(__i386__)

bool cpu_has_fma() { return __builtin_cpu_supports("fma"); }

bool cpu_has_avx2_fma() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

bool cpu_has_avx512() {
    return cpu_has_avx2_fma() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}

#else  // AArch64: fused multiply-add is part of the base architecture

bool cpu_has_fma() { return true; }
bool cpu_has_avx2_fma() { return false; }
bool cpu_has_avx512() { return false; }

#endif

}  // namespace ne_torch
