// Clipping of gradients in a step, as ne_torch/clipping.py does it layer by layer.
//
//   by value  in the store of the update, see kernels/update.hpp
//   by norm   needs all gradients first: the stages keep them instead of updating; then
//             norm = sqrt(sum over parameters, in each over rows, ascending, of (chain over the row of g g))
//             in float64, and every update takes g max_norm / (norm + 1e-6) where that factor is below 1
#pragma once

#include <vector>

#include "core/kernel_table.hpp"
#include "threading/thread_pool.hpp"
#include "training/learned.hpp"
#include "training/plan.hpp"

namespace ne_torch {

// 0 where there is none.
struct Clipping {
    double norm = 0;
    double value = 0;
};

// The gradients that the stages of a plan have kept, and their updates.
template <class T>
class KeptGradients {
  public:
    // Lists them anew: a workspace may have moved them. Throws std::bad_alloc.
    void list(const Plan<T>& plan);

    // One member's part, when every member's phase 2 is done. options: of each parameter group, its own.
    void clip_and_update(Team& team, const Kernels<T>& kernels, double max_norm, UpdateOptions<T>* options,
                         std::size_t groups);

  private:
    std::vector<Gradient<T>> gradients_;
    std::vector<double> square_sums_;  // of each row of each gradient
};

}  // namespace ne_torch
