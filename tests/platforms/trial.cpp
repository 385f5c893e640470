// What the engine finds out about its number of threads, with times of my own for the steps:
//
//   trial
#include "training/trial.hpp"

#include <cstdio>

namespace {

using ne_torch::Trial;

constexpr int kAll = 2, kRows = 64;
int failures = 0;

void expect(bool holds, const char* what) {
    if (holds) return;
    std::printf("not so: %s\n", what);
    ++failures;
}

// Takes a step that lasts so long with all threads or with one; returns how many took it.
int step(Trial& trial, double with_all, double with_one) {
    const int threads = trial.threads();
    trial.record(threads, kRows, threads == kAll ? with_all : with_one);
    trial.follow(1);
    return threads;
}

// Seconds and steps of each kind until it is decided.
struct Search {
    int steps_of_all = 0, steps_of_one = 0;
    double seconds = 0;
};

Search find_out(Trial& trial, double with_all, double with_one) {
    Search search;
    for (int i = 0; i < 1000000 && trial.undecided(); ++i) {
        const bool all = step(trial, with_all, with_one) == kAll;
        ++(all ? search.steps_of_all : search.steps_of_one);
        search.seconds += all ? with_all : with_one;
    }
    return search;
}

// Steps taken by so many threads before it is asked again.
int steps_as_decided(Trial& trial, int threads, double with_all, double with_one) {
    int steps = 0;
    for (; !trial.undecided() && steps < 1000000; ++steps) {
        const bool as_decided = step(trial, with_all, with_one) == threads;
        expect(as_decided, "steps are taken as was decided");
        if (!as_decided) return steps;
    }
    return steps;
}

void finds_the_faster_and_asks_again() {
    Trial trial;
    trial.begin(kAll, kRows);
    expect(trial.tries() && trial.threads() == kAll, "all threads begin");

    const Search slow = find_out(trial, 2e-4, 1e-4);
    expect(slow.steps_of_all >= 100 && slow.steps_of_one >= 200, "each is tried for 20 ms");
    expect(slow.seconds < 0.05, "and no longer");
    expect(trial.threads() == 1, "one thread is faster");
    const int alone = steps_as_decided(trial, 1, 2e-4, 1e-4);
    expect(alone > 45000 && alone < 55000, "which holds for about five seconds");

    find_out(trial, 5e-5, 1e-4);
    expect(trial.threads() == kAll, "all threads are faster by now");
    const int together = steps_as_decided(trial, kAll, 5e-5, 1e-4);
    expect(together > 90000 && together < 110000, "which holds for about five seconds");
}

void knows_what_says_nothing() {
    Trial trial;
    trial.begin(1, kRows);
    trial.follow(1000000);
    expect(!trial.tries() && !trial.undecided(), "one thread has nothing to try");

    trial.begin(kAll, kRows);
    for (int i = 0; i < 1000; ++i) trial.record(1, kRows, 1e-3);
    expect(trial.undecided() && trial.threads() == kAll, "a step left to one thread is no step of all");
    for (int i = 0; i < 1000; ++i) trial.record(kAll, 37, 1e-3);
    expect(trial.undecided() && trial.threads() == kAll, "a smaller batch is no step");

    find_out(trial, 1e-3, 2e-3);
    trial.begin(kAll, kRows);
    expect(!trial.undecided(), "the same question has its answer");
    for (int epoch = 0; epoch < 3; ++epoch) {
        trial.begin(epoch % 2 ? 1 : kAll, 32);
        expect(!trial.undecided(), "the rest of an epoch is no other question");
        trial.begin(kAll, kRows);
        expect(!trial.undecided(), "and leaves the answer as it was");
    }
    trial.begin(kAll, 128);
    expect(trial.undecided(), "larger batches are another question");
    trial.begin(kAll, 128);
    trial.begin(kAll, kRows);
    trial.begin(kAll, kRows);
    find_out(trial, 1e-3, 2e-3);
    expect(!trial.undecided(), "smaller batches are, too, from the second on");
    for (int i = 0; i < 100; ++i) {
        step(trial, 6, 7);
        expect(trial.steps() > 0, "steps that outlast an answer are taken, too");
    }
}

}  // namespace

int main() {
    finds_the_faster_and_asks_again();
    knows_what_says_nothing();
    return failures == 0 ? 0 : 1;
}
