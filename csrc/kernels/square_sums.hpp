// Sums of squares, for the norm of gradients: one chain of fused multiply-adds in float64 a row.
#pragma once

#include "core/views.hpp"
#include "kernels/transpose.hpp"

namespace ne_torch {

// total[i] = chain over j of values[i, j] values[i, j], in float64; lanes are rows, so that blocks are
// transposed on the way
template <class V>
void row_square_sums(index_t rows, index_t cols, Matrix<const typename V::T> values, double* total) {
    for_each_chunk<V>(rows, [&](index_t i, auto /*lanes*/) {
        const int row_count = static_cast<int>(rows - i < V::lanes ? rows - i : V::lanes);
        typename V::Totals sum;
        for_each_column<V>(row_count, cols, {values.at(i, 0), values.row_stride, 1},
                           [&](V column) { sum.add_products(column, column); });
        store_totals<V>(sum, row_count, total + i);
    });
}

}  // namespace ne_torch
