// The sum of the squares of arrays, for the norm of gradients.
#pragma once

#include "core/views.hpp"

namespace ne_torch {

// total + the sum over rows, ascending, of (chain over columns of values[i, j]^2), all in float64
template <class T>
double add_square_sum(double total, index_t rows, index_t cols, const T* values);

}  // namespace ne_torch
