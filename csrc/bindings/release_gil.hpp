// Lets other Python threads run while this one computes, where the work is longer than the hand-over.
#pragma once

#include <Python.h>

namespace ne_torch {

class ReleaseGil {
  public:
    explicit ReleaseGil(double operations) : state_(operations > 20000 ? PyEval_SaveThread() : nullptr) {}
    // A daemon thread that comes back while the interpreter shuts down waits here for the end of the process.
    ~ReleaseGil();

    ReleaseGil(const ReleaseGil&) = delete;
    ReleaseGil& operator=(const ReleaseGil&) = delete;

  private:
    PyThreadState* state_;
};

}  // namespace ne_torch
