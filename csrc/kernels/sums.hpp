// Sums along one axis, each one chain from +0 in ascending order: grad_bias, and the sums of products that
// normalisation needs, in either layout.
#pragma once

#include "core/compiler.hpp"
#include "core/views.hpp"
#include "kernels/transpose.hpp"

namespace ne_torch {

// total[j] = sum over i of values[i, j]; lanes are columns. Rows are read one after the other, a few at a
// time, as they lie in memory; the totals in between wait in the first-level cache.
template <class V>
void column_sums(index_t rows, index_t cols, Matrix<const typename V::T> values, typename V::T* total) {
    constexpr index_t together = 4;
    for_each_chunk<V>(cols, [&](index_t j, auto lanes) { lanes.store(total + j, V::broadcast(0)); });
    index_t i = 0;
    for (; i + together <= rows; i += together) {
        for_each_chunk<V>(cols, [&](index_t j, auto lanes) {
            V sum = lanes.load(total + j);
#pragma GCC unroll 4
            for (index_t r = 0; r < together; ++r) sum = sum + lanes.load(values.at(i + r, j));
            lanes.store(total + j, sum);
        });
    }
    for (; i < rows; ++i) {
        for_each_chunk<V>(cols, [&](index_t j, auto lanes) {
            lanes.store(total + j, lanes.load(total + j) + lanes.load(values.at(i, j)));
        });
    }
}

// total[i] = sum over j of values[i, j], from +0 or, where it goes on, from total[i]; lanes are rows, so that
// blocks are transposed on the way, two groups of rows at a time: additions to one sum wait for each other
// (Zen 3: 1.7 cycles a vector, and 2.9 with one group), but no longer than the shuffles of sixteen lanes
// take.
template <class V>
NE_TORCH_NOINLINE void row_sums(index_t rows, index_t cols, Matrix<const typename V::T> values, bool goes_on,
                                typename V::T* total) {
    const index_t paired = V::lanes > 8 ? 0 : rows - rows % (2 * V::lanes), whole = cols - cols % V::lanes;
    for (index_t i = 0; i < paired && whole > 0; i += 2 * V::lanes) {
        V first = goes_on ? V::load(total + i) : V::broadcast(0);
        V second = goes_on ? V::load(total + i + V::lanes) : V::broadcast(0);
        for (index_t j = 0; j < whole; j += V::lanes) {
            for_each_column<V>(V::lanes, V::lanes, {values.at(i, j), values.row_stride, 1},
                               [&](V column) { first = first + column; });
            for_each_column<V>(V::lanes, V::lanes, {values.at(i + V::lanes, j), values.row_stride, 1},
                               [&](V column) { second = second + column; });
        }
        first.store(total + i);
        second.store(total + i + V::lanes);
    }
    for_each_chunk<V>(rows, [&](index_t i, auto lanes) {
        const index_t done = i < paired ? whole : 0;
        if (done > 0 && done == cols) return;
        const int row_count = static_cast<int>(rows - i < V::lanes ? rows - i : V::lanes);
        V sum = goes_on || done > 0 ? lanes.load(total + i) : V::broadcast(0);
        for_each_column<V>(row_count, cols - done, {values.at(i, done), values.row_stride, 1},
                           [&](V column) { sum = sum + column; });
        lanes.store(total + i, sum);
    });
}

// total[i] = chain over j of a[i, j] * b[i, j], from +0 or, where it goes on, from total[i]; lanes are rows
template <class V>
void row_dots(index_t rows, index_t cols, Matrix<const typename V::T> a, Matrix<const typename V::T> b,
              bool goes_on, typename V::T* total) {
    for_each_chunk<V>(rows, [&](index_t i, auto lanes) {
        const int row_count = static_cast<int>(rows - i < V::lanes ? rows - i : V::lanes);
        V sum = goes_on ? lanes.load(total + i) : V::broadcast(0);
        for (index_t j = 0; j < cols; j += V::lanes) {
            const int col_count = static_cast<int>(cols - j < V::lanes ? cols - j : V::lanes);
            V block[V::lanes];
            V other[V::lanes];
            load_transposed_block<V>(row_count, col_count, {a.at(i, j), a.row_stride, 1}, block);
            load_transposed_block<V>(row_count, col_count, {b.at(i, j), b.row_stride, 1}, other);
            for (int c = 0; c < col_count; ++c) sum = V::fma(block[c], other[c], sum);
        }
        lanes.store(total + i, sum);
    });
}

// total[j] = chain over i of a[i, j] * b[i, j]; lanes are columns
template <class V>
void column_dots(index_t rows, index_t cols, Matrix<const typename V::T> a, Matrix<const typename V::T> b,
                 typename V::T* total) {
    for_each_chunk<V>(cols, [&](index_t j, auto lanes) { lanes.store(total + j, V::broadcast(0)); });
    for (index_t i = 0; i < rows; ++i) {
        for_each_chunk<V>(cols, [&](index_t j, auto lanes) {
            const V sum = lanes.load(total + j);
            lanes.store(total + j, V::fma(lanes.load(a.at(i, j)), lanes.load(b.at(i, j)), sum));
        });
    }
}

}  // namespace ne_torch
