// The penalty that weight decay is the gradient of:
//
//   sum over parameters of weight_decay / 2 (sum over rows, ascending, of (chain over the row of p p))
//
// in float64, with the weight decay of each parameter's group; 0 of a decoupled one, which is no gradient.
#pragma once

#include <vector>

#include "core/kernel_table.hpp"
#include "threading/thread_pool.hpp"
#include "training/learned.hpp"
#include "training/plan.hpp"

namespace ne_torch {

template <class T>
class Penalty {
  public:
    // Lists the parameters anew; none where it is not wanted. Throws std::bad_alloc.
    void list(const Plan<T>& plan, bool wanted);

    // One member's part, of parameters that nobody changes.
    void square(const Team& team, const Kernels<T>& kernels, const UpdateOptions<T>* options);

    // After a barrier.
    double value(const UpdateOptions<T>* options) const;

  private:
    std::vector<Gradient<T>> parameters_;
    std::vector<double> square_sums_;  // of each row of each parameter
};

}  // namespace ne_torch
