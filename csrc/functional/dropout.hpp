// Dropout of batch-major (rows, cols) arrays. Called by the bindings, and the first by the engine too.
#pragma once

#include "core/dropout_args.hpp"
#include "core/views.hpp"

namespace ne_torch {

// What drops a share p of the elements, 0 <= p <= 1; whether it drops any at all.
DropoutArgs dropout_args(std::uint64_t seed, std::uint64_t pass, double p);
inline bool drops(double p) { return p >= 0x1p-33; }

// forward of input, or backward of grad_output
template <class T>
void dropout(const DropoutArgs& args, index_t rows, index_t cols, const T* input, T* output);

}  // namespace ne_torch
