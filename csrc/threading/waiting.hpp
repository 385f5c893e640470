// How a thread waits for another: it spins, lets others run, and at last sleeps. Called by the thread pool
// and by turns.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace ne_torch {

using Counter = std::atomic<std::uint32_t>;

// After half a millisecond a waiting thread sleeps: longer than most steps, so that a worker that was roused
// during one is there for the next, and short against the 2 ms after which an idle process must use no CPU.
constexpr auto kPatience = std::chrono::microseconds(500);

// Waits without sleeping; false where patience ran out and the value is still the old one.
bool moves_on(const Counter& value, std::uint32_t old);

// Waits as long as it takes. Who changes the value has to notify.
void wait_while(const Counter& value, std::uint32_t old);

}  // namespace ne_torch
