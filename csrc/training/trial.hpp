// Whether steps are faster with all threads or with one. Where they are short that depends on the machine, on
// how long a cache line takes from core to core, and on the network: it is found out by doing both, for some
// time each. It depends on what else runs there, too, and so is asked again from time to time. Either gives
// the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include "core/views.hpp"

namespace ne_torch {

class Trial {
  public:
    // Steps on batches of so many rows are to be tried with so many threads and with one, or with 1 not to be
    // tried at all. What has been found out about the same stays; so it does beyond one smaller batch, as
    // epochs end with.
    void begin(int threads, index_t rows) {
        const bool same = threads == all_ && rows == rows_;
        const bool rest = rows < rows_ && !rest_;
        rest_ = rest;
        if (same || rest) return;
        *this = Trial();
        all_ = threads;
        rows_ = rows;
    }

    bool tries() const { return all_ > 1; }
    bool undecided() const { return tries() && !of_one_.done(); }
    // How many threads take the next step, and how many steps may follow before that is asked again. All
    // begin, so that few steps are taken as many are.
    int threads() const {
        if (!of_all_.done()) return all_;
        return of_one_.done() && of_all_.best < of_one_.best ? all_ : 1;
    }
    std::size_t steps() const { return undecided() ? kSteps : left_; }

    // A step that so many have taken. Workers that are asleep leave it to one, which says nothing; nor does a
    // smaller batch.
    void record(int threads_taken, index_t rows, double seconds) {
        if (!undecided() || threads_taken != threads() || rows != rows_) return;
        Times& times = of_all_.done() ? of_one_ : of_all_;
        times.best = std::min(times.best, seconds);
        times.total += seconds;
        ++times.steps;
        if (!undecided()) left_ = static_cast<std::size_t>(kHolds / std::min(of_all_.best, of_one_.best));
    }
    // So many steps have been taken.
    void follow(std::size_t steps) {
        if (!tries() || undecided()) return;
        left_ -= std::min(left_, steps);
        if (left_ == 0) of_all_ = of_one_ = Times();
    }

  private:
    static constexpr std::size_t kSteps = 12;
    // A new thread shares the core it was begun on until the system finds it another.
    static constexpr double kSeconds = 0.02;
    static constexpr double kHolds = 5;  // seconds, 250 times what it takes to do the slower

    struct Times {
        std::size_t steps = 0;
        double total = 0;
        double best = std::numeric_limits<double>::infinity();
        bool done() const { return steps >= kSteps && total >= kSeconds; }
    };

    int all_ = 0;
    index_t rows_ = 0;
    bool rest_ = false;  // whether the last batch was a smaller one
    Times of_all_, of_one_;
    // Steps until it is asked again, once it is decided; without end where there is nothing to ask.
    std::size_t left_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace ne_torch
