#include "threading/thread_pool.hpp"

#include <cstdlib>
#include <deque>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "threading/available_cpus.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <emmintrin.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace ne_torch {
namespace {

using Counter = std::atomic<std::uint32_t>;

constexpr int kMaxThreads = 1024;
// About 50 us of spinning: longer than the gap between two steps of a training loop in Python, and short
// against the 2 ms after which an idle process must use no CPU.
constexpr int kSpins = 1500;

void pause_cpu() {
#if defined(__x86_64__) || defined(_M_X64)
    _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
    asm volatile("isb" ::: "memory");
#endif
}

struct alignas(64) Line {
    Counter value{0};
};

struct Pool {
    std::mutex busy;         // held by the owner of the region that runs
    std::deque<Line> start;  // of worker 1, 2, ...: moves on when a region wants it
    Line arrived;            // of the barrier
    Line phase;              // of the barrier
    Line working;            // workers of this region that have not finished
    int team_size = 0;
    TeamFunction function = nullptr;
    void* context = nullptr;

    void start_workers(int wanted);
    void work(int index, const Counter& go);
    int workers() const { return static_cast<int>(start.size()); }
};

// Never destroyed: workers may outlive static destructors at exit. A forked child gets a fresh one, since its
// parent's workers do not exist there.
std::atomic<Pool*> pool{nullptr};
std::once_flag at_fork_registered;

void forget_pool() { pool.store(nullptr, std::memory_order_release); }

Pool& get_pool() {
#if !defined(_WIN32)
    std::call_once(at_fork_registered, [] { pthread_atfork(nullptr, nullptr, forget_pool); });
#endif
    Pool* current = pool.load(std::memory_order_acquire);
    if (!current) {
        Pool* fresh = new Pool;
        if (pool.compare_exchange_strong(current, fresh)) return *fresh;
        delete fresh;
    }
    return *current;
}

void Pool::start_workers(int wanted) {
    while (workers() < wanted) {
        const Counter& go = start.emplace_back().value;
        try {
            std::thread([this, index = workers(), &go] { work(index, go); }).detach();
        } catch (const std::system_error&) {
            start.pop_back();  // no more threads to be had: a smaller team does the same work
            return;
        }
    }
}

void Pool::work(int index, const Counter& go) {
    for (std::uint32_t seen = 0;; ++seen) {
        SpinThenSleep::wait_while(go, seen);
        Team team(index, team_size, &arrived.value, &phase.value);
        function(context, team);
        if (working.value.fetch_sub(1, std::memory_order_acq_rel) == 1) working.value.notify_one();
    }
}

int threads_from_environment() {
    const char* text = std::getenv("NE_TORCH_NUM_THREADS");
    if (!text || !*text) return available_cpus();
    char* end = nullptr;
    const long threads = std::strtol(text, &end, 10);
    if (*end != '\0' || threads < 1 || threads > kMaxThreads) {
        throw std::invalid_argument("NE_TORCH_NUM_THREADS: expected an integer from 1 to " +
                                    std::to_string(kMaxThreads) + ", got '" + text + "'");
    }
    return static_cast<int>(threads);
}

std::atomic<int> thread_limit{0};  // 0: not decided yet

}  // namespace

void SpinThenSleep::wait_while(const Counter& value, std::uint32_t old) {
    for (int i = 0; i < kSpins; ++i) {
        if (value.load(std::memory_order_acquire) != old) return;
        pause_cpu();
    }
    while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

void Team::barrier() {
    if (count == 1) return;
    const std::uint32_t now = phase_->load(std::memory_order_acquire);
    if (arrived_->fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<std::uint32_t>(count)) {
        arrived_->store(0, std::memory_order_relaxed);
        phase_->store(now + 1, std::memory_order_release);
        phase_->notify_all();
    } else {
        SpinThenSleep::wait_while(*phase_, now);
    }
}

void run_parallel(int threads, TeamFunction function, void* context) {
    const auto alone = [&] {
        Team team(0, 1, nullptr, nullptr);
        function(context, team);
    };
    if (threads <= 1) return alone();
    Pool& current = get_pool();
    const std::unique_lock<std::mutex> owner(current.busy, std::try_to_lock);
    if (!owner.owns_lock()) return alone();
    current.start_workers(threads - 1);
    const int size = threads < current.workers() + 1 ? threads : current.workers() + 1;
    if (size == 1) return alone();

    current.team_size = size;
    current.function = function;
    current.context = context;
    current.working.value.store(static_cast<std::uint32_t>(size - 1), std::memory_order_relaxed);
    for (int worker = 0; worker < size - 1; ++worker) {
        Counter& go = current.start[static_cast<std::size_t>(worker)].value;
        go.fetch_add(1, std::memory_order_release);
        go.notify_one();
    }
    Team team(0, size, &current.arrived.value, &current.phase.value);
    function(context, team);
    for (;;) {
        const std::uint32_t left = current.working.value.load(std::memory_order_acquire);
        if (left == 0) return;
        SpinThenSleep::wait_while(current.working.value, left);
    }
}

int num_threads() {
    int threads = thread_limit.load(std::memory_order_acquire);
    if (threads == 0) {
        threads = threads_from_environment();
        thread_limit.store(threads, std::memory_order_release);
    }
    return threads;
}

void set_num_threads(int threads) {
    if (threads < 1 || threads > kMaxThreads) {
        throw std::invalid_argument("set_num_threads: expected an integer from 1 to " +
                                    std::to_string(kMaxThreads) + ", got " + std::to_string(threads));
    }
    thread_limit.store(threads, std::memory_order_release);
}

}  // namespace ne_torch
