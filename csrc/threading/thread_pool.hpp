// The thread pool: parallel regions of a few microseconds, nothing else.
//
//   parallel(threads, work, [&](Team& team) { ... team.index, team.count ... team.barrier(); ... });
//
// The calling thread is member 0. Workers start at the first region that wants them, spin briefly for the
// next one and then sleep, so that an idle process uses no CPU. One region runs at a time: a caller that
// finds the pool busy (another Python thread, a nested region, a forked child without workers) is given a
// team of one, which is always correct because no result depends on the number of threads. So is a caller
// whose work is shorter than waking the workers takes, until its calls come in quick succession.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

namespace ne_torch {

class Team {
  public:
    Team(int member, int size, std::atomic<std::uint32_t>* arrived, std::atomic<std::uint32_t>* phase)
        : index(member), count(size), arrived_(arrived), phase_(phase) {}

    // Every member waits here for all the others; what they wrote before is visible after.
    void barrier();

    const int index;
    const int count;

  private:
    std::atomic<std::uint32_t>* arrived_;
    std::atomic<std::uint32_t>* phase_;
};

using TeamFunction = void (*)(void* context, Team& team);

// Runs function on a team of `threads` members, or of one, and returns when all have finished. work: about
// how many multiply-adds there are. function must not throw.
void run_parallel(int threads, double work, TeamFunction function, void* context);

template <class Body>
void parallel(int threads, double work, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    run_parallel(
        threads, work, [](void* context, Team& team) { (*static_cast<Plain*>(context))(team); },
        const_cast<void*>(static_cast<const void*>(&body)));
}

// How many forks lie between this process and the one that first asked: what a thread of the parent was in
// the middle of, nobody is in the middle of in the child.
std::uint32_t fork_generation();

// The most threads a region may use: set_num_threads, else NE_TORCH_NUM_THREADS, else OMP_NUM_THREADS, else
// available_cpus().
int num_threads();
void set_num_threads(int threads);  // throws std::invalid_argument below 1 or above 1024

}  // namespace ne_torch
