// Members of a team take turns, in the order of their numbers, round after round.
#pragma once

#include "threading/thread_pool.hpp"
#include "threading/waiting.hpp"

namespace ne_torch {

class Turns {
  public:
    // Runs body when the members before have had their turn; what they wrote in it is visible. Every member
    // calls this equally often.
    template <class Body>
    void take(const Team& team, Body body) {
        const auto mine = static_cast<std::uint32_t>(team.index);
        for (auto now = next_.load(std::memory_order_acquire); now != mine;) {
            wait_while(next_, now);
            now = next_.load(std::memory_order_acquire);
        }
        body();
        next_.store((mine + 1) % static_cast<std::uint32_t>(team.count), std::memory_order_release);
        next_.notify_all();
    }

  private:
    alignas(64) Counter next_{0};
};

}  // namespace ne_torch
