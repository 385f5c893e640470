#include "bindings/release_gil.hpp"

#include <chrono>
#include <thread>

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

namespace ne_torch {
namespace {

[[noreturn]] void wait_for_the_end() {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

}  // namespace

// While the interpreter shuts down, Pythons before 3.14 end a thread that asks for the lock by pthread_exit,
// which unwinds its stack: over frames that hold Python objects without the lock, and over this destructor,
// where it would abort the process. From 3.14 on they let it wait, as is done here.
ReleaseGil::~ReleaseGil() {
    if (!state_) return;
#if defined(__GLIBCXX__)
    try {
        PyEval_RestoreThread(state_);
    } catch (const abi::__forced_unwind&) {
        wait_for_the_end();
    }
#else
    PyEval_RestoreThread(state_);
#endif
}

}  // namespace ne_torch
