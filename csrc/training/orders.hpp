// Which values between stages lie batch-major, (samples, features) in memory.
//
// Feature-major values suit products with the weights of a layer. But a gradient of weights is a product over
// samples, whose operand turns on its way into panels, and the sums of a bias turn, too: a fifth of a step,
// where layers are narrow. Values that lie batch-major are read there as they are, and what turns instead is
// the weight of the forward pass. (AVX-512, 4-32-16-4 with tanh at 10,000 samples: 0.93 of the time with one
// thread and 0.83 with two; 4-32-32-1 at 32 0.91. AVX2: 0.90 to 1. Wider layers: nothing to gain.)
#pragma once

#include <cstddef>

#include "core/kernel_table.hpp"
#include "training/plan.hpp"

namespace ne_torch {

// Whether the input of stage i does, in blocks of so many samples; and its gradient.
template <class T>
bool lies_batch_major(const Plan<T>& plan, std::size_t i, const Kernels<T>& kernels, index_t rows);

}  // namespace ne_torch
