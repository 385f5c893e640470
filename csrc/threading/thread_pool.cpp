#include "threading/thread_pool.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "threading/available_cpus.hpp"
#include "threading/waiting.hpp"

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace ne_torch {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMaxThreads = 1024;
// Waking a worker takes some 50 us. Work of 30 million multiply-adds, 250 us of a core at 240 GFLOP/s, gains
// more than that from a second thread.
constexpr double kWorthWaking = 3e7;
constexpr auto kLongCall = std::chrono::microseconds(250);
constexpr auto kQuickSuccession = kPatience;

struct alignas(64) Line {
    Counter value{0};
};

// How a worker is reached. Each counter moves on its own cache line.
struct Worker {
    Line wake;                      // moves on when the worker should look for a job, or just stay awake
    Line job;                       // 1 while a region waits for this worker to join
    std::atomic<bool> awake{true};  // it spins or works; otherwise it sleeps in the kernel

    void rouse() {
        wake.value.fetch_add(1, std::memory_order_release);
        wake.value.notify_one();
    }
};

struct Pool {
    std::atomic<bool> busy{false};  // a region runs; no mutex, which its owner may not ask for again
    std::deque<Worker> workers;
    Line arrived;  // of the barrier
    Line phase;    // of the barrier
    Line working;  // workers of this region that have not finished
    int team_size = 0;
    TeamFunction function = nullptr;
    void* context = nullptr;
    Clock::time_point alone_until{};  // the end of the last call that was left alone, and how long it took
    Clock::duration alone_for{};

    void start_workers(int wanted);
    void work(int index, Worker& self);
    bool should_wait_for_workers(int wanted, double work);
};

// Owns the pool for one region, if nobody else does.
class Claim {
  public:
    explicit Claim(std::atomic<bool>& busy)
        : busy_(busy), owns_(!busy.exchange(true, std::memory_order_acquire)) {}
    ~Claim() {
        if (owns_) busy_.store(false, std::memory_order_release);
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    bool owns() const { return owns_; }

  private:
    std::atomic<bool>& busy_;
    const bool owns_;
};

// Never destroyed: workers may outlive static destructors at exit. A forked child gets a fresh one, since its
// parent's workers do not exist there.
std::atomic<Pool*> pool{nullptr};
std::once_flag at_fork_registered;

std::atomic<std::uint32_t> forks{0};

void forget_parent() {
    pool.store(nullptr, std::memory_order_release);
    forks.fetch_add(1, std::memory_order_relaxed);
}

void watch_forks() {
#if !defined(_WIN32)
    std::call_once(at_fork_registered, [] { pthread_atfork(nullptr, nullptr, forget_parent); });
#endif
}

Pool& get_pool() {
    watch_forks();
    Pool* current = pool.load(std::memory_order_acquire);
    if (!current) {
        Pool* fresh = new Pool;
        if (pool.compare_exchange_strong(current, fresh)) return *fresh;
        delete fresh;
    }
    return *current;
}

void Pool::start_workers(int wanted) {
    while (static_cast<int>(workers.size()) < wanted) {
        Worker& worker = workers.emplace_back();
        try {
            std::thread([this, index = static_cast<int>(workers.size()), &worker] {
                work(index, worker);
            }).detach();
        } catch (const std::system_error&) {
            workers.pop_back();  // no more threads to be had
            return;
        }
    }
}

void Pool::work(int index, Worker& self) {
    for (std::uint32_t seen = 0;;) {
        if (!moves_on(self.wake.value, seen)) {
            self.awake.store(false, std::memory_order_relaxed);
            self.wake.value.wait(seen, std::memory_order_acquire);
            self.awake.store(true, std::memory_order_relaxed);
        }
        seen = self.wake.value.load(std::memory_order_acquire);
        if (self.job.value.exchange(0, std::memory_order_acquire) == 0) continue;
        Team team(index, team_size, &arrived.value, &phase.value);
        function(context, team);
        if (working.value.fetch_sub(1, std::memory_order_acq_rel) == 1) working.value.notify_one();
    }
}

// Sleeping workers are worth waiting for when the work is long, or when the call before, which was alone,
// took long: much of what some nets do is no multiplication. For short work in quick succession they are
// roused for the calls to come; for short work now and then they are left asleep.
bool Pool::should_wait_for_workers(int wanted, double work) {
    if (work >= kWorthWaking) return true;
    bool awake = true;
    for (int i = 0; i < wanted; ++i) {
        awake = awake && workers[static_cast<std::size_t>(i)].awake.load(std::memory_order_relaxed);
    }
    if (awake) return true;
    if (Clock::now() - alone_until >= kQuickSuccession) return false;
    if (alone_for >= kLongCall) return true;
    for (int i = 0; i < wanted; ++i) workers[static_cast<std::size_t>(i)].rouse();
    return false;
}

// OMP_NUM_THREADS, by which process pools and schedulers share out the cores: "2", or by levels "2,4". It is
// other libraries' setting, so what is no such number is passed over. 0 for none.
int threads_for_openmp() {
    const char* text = std::getenv("OMP_NUM_THREADS");
    if (!text) return 0;
    char* end = nullptr;
    const long threads = std::strtol(text, &end, 10);
    while (*end == ' ') ++end;
    if ((*end != '\0' && *end != ',') || threads < 1) return 0;
    return static_cast<int>(std::min<long>(threads, kMaxThreads));
}

int threads_from_environment() {
    const char* text = std::getenv("NE_TORCH_NUM_THREADS");
    if (!text || !*text) {
        const int threads = threads_for_openmp();
        return threads > 0 ? threads : available_cpus();
    }
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

void Team::barrier() {
    if (count == 1) return;
    const std::uint32_t now = phase_->load(std::memory_order_acquire);
    if (arrived_->fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<std::uint32_t>(count)) {
        arrived_->store(0, std::memory_order_relaxed);
        phase_->store(now + 1, std::memory_order_release);
        phase_->notify_all();
    } else {
        wait_while(*phase_, now);
    }
}

void run_parallel(int threads, double work, TeamFunction function, void* context) {
    const auto alone = [&] {
        Team team(0, 1, nullptr, nullptr);
        function(context, team);
    };
    if (threads <= 1) return alone();
    Pool& current = get_pool();
    const Claim claim(current.busy);
    if (!claim.owns()) return alone();
    current.start_workers(threads - 1);
    // All or one: the caller has laid out memory for either, not for a team in between.
    const int size = threads;
    if (static_cast<int>(current.workers.size()) < size - 1) return alone();
    if (!current.should_wait_for_workers(size - 1, work)) {
        const auto start = Clock::now();
        alone();
        current.alone_until = Clock::now();
        current.alone_for = current.alone_until - start;
        return;
    }

    current.team_size = size;
    current.function = function;
    current.context = context;
    current.working.value.store(static_cast<std::uint32_t>(size - 1), std::memory_order_relaxed);
    for (int i = 0; i < size - 1; ++i) {
        Worker& worker = current.workers[static_cast<std::size_t>(i)];
        worker.job.value.store(1, std::memory_order_release);
        worker.rouse();
    }
    Team team(0, size, &current.arrived.value, &current.phase.value);
    function(context, team);
    for (;;) {
        const std::uint32_t left = current.working.value.load(std::memory_order_acquire);
        if (left == 0) return;
        wait_while(current.working.value, left);
    }
}

std::uint32_t fork_generation() {
    watch_forks();
    return forks.load(std::memory_order_relaxed);
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
