// target[j, i] = source[i, j], in blocks of lanes x lanes that are turned in registers.
//
// log2(lanes) rounds of perfect shuffles transpose a block: round by round, row i is interleaved with row
// i + lanes/2, which moves one bit of the row number into the column number.
#pragma once

#include "core/views.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
inline void transpose_registers(V (&rows)[V::lanes]) {
    constexpr int half = V::lanes / 2;
#pragma GCC unroll 4
    for (int width = 1; width < V::lanes; width *= 2) {
        V next[V::lanes];
#pragma GCC unroll 8
        for (int i = 0; i < half; ++i) V::interleave(rows[i], rows[i + half], next[2 * i], next[2 * i + 1]);
#pragma GCC unroll 16
        for (int i = 0; i < V::lanes; ++i) rows[i] = next[i];
    }
}

// One block of row_count x col_count at most lanes each; both views have contiguous rows.
template <class V>
inline void transpose_block(int row_count, int col_count, Matrix<const typename V::T> source,
                            Matrix<typename V::T> target) {
    V block[V::lanes];
    if (row_count == V::lanes && col_count == V::lanes) {
#pragma GCC unroll 16
        for (int i = 0; i < V::lanes; ++i) block[i] = V::load(source.data + i * source.row_stride);
        transpose_registers(block);
#pragma GCC unroll 16
        for (int i = 0; i < V::lanes; ++i) block[i].store(target.data + i * target.row_stride);
        return;
    }
    const typename V::Mask columns = V::first(col_count);
    for (int i = 0; i < V::lanes; ++i) {
        block[i] = i < row_count ? V::load(source.data + i * source.row_stride, columns) : V::broadcast(0);
    }
    transpose_registers(block);
    const typename V::Mask rows = V::first(row_count);
    for (int i = 0; i < col_count; ++i) block[i].store(target.data + i * target.row_stride, rows);
}

template <class V>
void transpose(index_t rows, index_t cols, Matrix<const typename V::T> source, Matrix<typename V::T> target) {
    for (index_t i = 0; i < rows; i += V::lanes) {
        const int row_count = static_cast<int>(rows - i < V::lanes ? rows - i : V::lanes);
        for (index_t j = 0; j < cols; j += V::lanes) {
            const int col_count = static_cast<int>(cols - j < V::lanes ? cols - j : V::lanes);
            transpose_block<V>(row_count, col_count,
                               {source.data + i * source.row_stride + j, source.row_stride},
                               {target.data + j * target.row_stride + i, target.row_stride});
        }
    }
}

}  // namespace ne_torch
