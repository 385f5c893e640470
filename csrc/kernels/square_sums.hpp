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
        double sum[V::lanes] = {};
        for (index_t j = 0; j < cols; j += V::lanes) {
            const int col_count = static_cast<int>(cols - j < V::lanes ? cols - j : V::lanes);
            V block[V::lanes];
            load_transposed_block<V>(row_count, col_count, {values.at(i, j), values.row_stride, 1}, block);
            for (int c = 0; c < col_count; ++c) V::accumulate_products(block[c], block[c], sum);
        }
        for (int r = 0; r < row_count; ++r) total[i + r] = sum[r];
    });
}

}  // namespace ne_torch
