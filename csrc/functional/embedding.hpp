// The gradient of an embedding: each row of the table gets the sum over its occurrences, ascending.
//
//   grad_weight[code, d] = sum over b ascending, of those with codes[b] = code, of grad_output[b, d]
//
// The row of padding gets +0. Called by the bindings.
#pragma once

#include <cstdint>

#include "core/views.hpp"

namespace ne_torch {

// padding: a row, or -1 for none; codes lie in [0, rows of the table)
template <class T>
void embedding_backward(index_t count, index_t dim, const std::int64_t* codes, const T* grad_output,
                        index_t table_rows, index_t padding, T* grad_weight);

}  // namespace ne_torch
