// target[j, i] = source[i, j], in blocks of lanes x lanes that are transposed between memory and registers.
#pragma once

#include "core/views.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

// block[t] lane i = source[i, t] for a block of rows x cols at most lanes each; anything elsewhere
template <class V>
inline void load_transposed_block(int rows, int cols, Matrix<const typename V::T> source,
                                  V (&block)[V::lanes]) {
    using T = typename V::T;
    if (rows == V::lanes && cols == V::lanes) {
        V::load_transposed(source.data, source.row_stride, block);
        return;
    }
    const typename V::Mask mask = V::first(cols);
    const T* row[V::lanes];  // the last one again where there is none
    row[0] = source.data;
#pragma GCC unroll 16
    for (int i = 1; i < V::lanes; ++i) row[i] = row[i - 1] + (i < rows ? source.row_stride : 0);
    if constexpr (requires { V::load_transposed(row, mask, block); }) {
        V::load_transposed(row, mask, block);
    } else {
        T whole[V::lanes * V::lanes];
        for (int i = 0; i < V::lanes; ++i) V::load(row[i], mask).store(whole + i * V::lanes);
        V::load_transposed(whole, V::lanes, block);
    }
}

// body(column), for each column of so many rows at most lanes, ascending: lane i is of row i
template <class V, class Body>
NE_TORCH_INLINE void for_each_column(int rows, index_t cols, Matrix<const typename V::T> source, Body body) {
    index_t j = 0;
    for (; rows == V::lanes && j + V::lanes <= cols; j += V::lanes) {
        V block[V::lanes];  // of its own, so that it stays in registers
        V::load_transposed(source.at(0, j), source.row_stride, block);
#pragma GCC unroll 16
        for (int c = 0; c < V::lanes; ++c) body(block[c]);
    }
    for (; j < cols; j += V::lanes) {
        const int count = static_cast<int>(cols - j < V::lanes ? cols - j : V::lanes);
        V block[V::lanes];
        load_transposed_block<V>(rows, count, {source.at(0, j), source.row_stride, 1}, block);
        for (int c = 0; c < count; ++c) body(block[c]);
    }
}

// A single column, which is a row already but for the distances.
template <class T>
NE_TORCH_INLINE void copy_spread(index_t n, const T* source, index_t source_stride, T* target,
                                 index_t target_stride) {
    for (index_t i = 0; i < n; ++i) target[i * target_stride] = source[i * source_stride];
}

// The last rows of at least a vector's worth come a second time, so that no store is masked: that is slow on
// some processors.
template <class V>
void transpose(index_t rows, index_t cols, Matrix<const typename V::T> source, Matrix<typename V::T> target) {
    if (cols == 1) return copy_spread(rows, source.data, source.row_stride, target.data, 1);
    if (rows == 1) return copy_spread(cols, source.data, 1, target.data, target.row_stride);
    const int row_count = static_cast<int>(rows < V::lanes ? rows : V::lanes);
    const index_t last = rows - row_count;  // where the last group begins
    for (index_t begin = 0; begin < rows; begin += V::lanes) {
        const index_t i = begin < last ? begin : last;
        index_t j = 0;
        const typename V::T* from = source.at(i, 0);
        typename V::T* to[(V::lanes + 3) / 4];
#pragma GCC unroll 4
        for (int q = 0; q < (V::lanes + 3) / 4; ++q) to[q] = target.at(4 * q, i);
        for (; row_count == V::lanes && j + V::lanes <= cols; j += V::lanes) {
            V block[V::lanes];  // of its own, so that it stays in registers
            V::load_transposed(from, source.row_stride, block);
            from += V::lanes;
#pragma GCC unroll 16
            for (int t = 0; t < V::lanes; ++t) block[t].store(to[t / 4] + (t % 4) * target.row_stride);
#pragma GCC unroll 4
            for (int q = 0; q < (V::lanes + 3) / 4; ++q) to[q] += V::lanes * target.row_stride;
        }
        if constexpr (requires(V* half) { V::load_half_transposed(from, source.row_stride, half); }) {
            if (row_count == V::lanes && j + V::lanes / 2 <= cols) {
                V half[V::lanes / 2];
                V::load_half_transposed(from, source.row_stride, half);
#pragma GCC unroll 8
                for (int t = 0; t < V::lanes / 2; ++t) half[t].store(target.at(j + t, i));
                j += V::lanes / 2;
            }
        }
        const typename V::Mask mask = V::first(row_count);
        for (; j < cols; j += V::lanes) {
            const int col_count = static_cast<int>(cols - j < V::lanes ? cols - j : V::lanes);
            V block[V::lanes];
            load_transposed_block<V>(row_count, col_count, {source.at(i, j), source.row_stride, 1}, block);
            for (int t = 0; t < col_count; ++t) block[t].store(target.at(j + t, i), mask);
        }
    }
}

}  // namespace ne_torch
