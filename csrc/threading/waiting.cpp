#include "threading/waiting.hpp"

#include <thread>

#if defined(__x86_64__) || defined(_M_X64)
#include <emmintrin.h>
#endif

namespace ne_torch {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSpins = 500;  // the first microseconds

void pause_cpu() {
#if defined(__x86_64__) || defined(_M_X64)
    _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
    asm volatile("isb" ::: "memory");
#endif
}

}  // namespace

bool moves_on(const Counter& value, std::uint32_t old) {
    for (int i = 0; i < kSpins; ++i) {
        if (value.load(std::memory_order_acquire) != old) return true;
        pause_cpu();
    }
    const auto end = Clock::now() + kPatience;
    while (Clock::now() < end) {
        if (value.load(std::memory_order_acquire) != old) return true;
        std::this_thread::yield();
    }
    return value.load(std::memory_order_acquire) != old;
}

void wait_while(const Counter& value, std::uint32_t old) {
    if (moves_on(value, old)) return;
    while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace ne_torch
