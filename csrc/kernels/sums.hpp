// Sums along one axis, each one chain of additions from +0 in ascending order: grad_bias, in either layout.
#pragma once

#include "core/views.hpp"
#include "kernels/transpose.hpp"

namespace ne_torch {

// total[j] = sum over i of values[i, j]; lanes are columns
template <class V>
void column_sums(index_t rows, index_t cols, Matrix<const typename V::T> values, typename V::T* total) {
    for_each_chunk<V>(cols, [&](index_t j, auto lanes) {
        V sum = V::broadcast(0);
        for (index_t i = 0; i < rows; ++i) sum = sum + lanes.load(values.data + i * values.row_stride + j);
        lanes.store(total + j, sum);
    });
}

// total[i] = sum over j of values[i, j]; lanes are rows, so that blocks are transposed on the way
template <class V>
void row_sums(index_t rows, index_t cols, Matrix<const typename V::T> values, typename V::T* total) {
    using T = typename V::T;
    T columns[V::lanes * V::lanes];
    for_each_chunk<V>(rows, [&](index_t i, auto lanes) {
        const int row_count = static_cast<int>(rows - i < V::lanes ? rows - i : V::lanes);
        V sum = V::broadcast(0);
        for (index_t j = 0; j < cols; j += V::lanes) {
            const int col_count = static_cast<int>(cols - j < V::lanes ? cols - j : V::lanes);
            transpose_block<V>(row_count, col_count,
                               {values.data + i * values.row_stride + j, values.row_stride},
                               {columns, V::lanes});
            for (int c = 0; c < col_count; ++c) sum = sum + lanes.load(columns + c * V::lanes);
        }
        lanes.store(total + i, sum);
    });
}

}  // namespace ne_torch
