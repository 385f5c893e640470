// Copies of operands for gemm.hpp, made where reading them in place would cost more than the copy.
//
//   B  [k, n] -> panels of NR columns, each contiguous: [k][NR]
//   A  a block of rows, its strides kept in order but the longer one made short and odd in cache lines
#pragma once

#include "core/gemm_args.hpp"
#include "kernels/blocking.hpp"
#include "kernels/lanes.hpp"
#include "kernels/transpose.hpp"

namespace ne_torch {

// A transposed operand must be packed. One in place costs cache and TLB misses at wide row strides, which
// pays for a copy when enough rows of C use it.
template <class V>
inline bool packs_b(const GemmArgs<typename V::T>& g) {
    if (g.b.col_stride != 1) return true;
    if (is_large_b<V>(g)) return !streams_b<V>(g);
    return g.m >= 32 * V::max_rows && g.b.row_stride > 2 * Blocking<V>::nr;
}

// At strides of a multiple of 2 KiB the rows of a tile, or the terms of a chain, fall into a few sets of the
// cache and evict each other.
template <class V>
inline bool packs_a(const GemmArgs<typename V::T>& g) {
    constexpr index_t page = 2048 / static_cast<index_t>(sizeof(typename V::T));
    const index_t stride = g.a.col_stride == 1 ? g.a.row_stride : g.a.col_stride;
    const index_t count = g.a.col_stride == 1 ? V::max_rows : g.k;
    return stride % page == 0 && stride > 0 && count > 8 && g.n >= 2 * Blocking<V>::nr;
}

// The long stride of a packed block of A whose rows (along the contiguous axis) have `length` elements.
template <class V>
inline index_t packed_stride(index_t length) {
    return (ceil_div(length, V::lanes) | 1) * V::lanes;
}

template <class V>
inline index_t packed_a_size(const GemmArgs<typename V::T>& g, index_t rows, index_t depth) {
    return g.a.col_stride == 1 ? rows * packed_stride<V>(depth) : depth * packed_stride<V>(rows);
}

// A copy of the (rows, depth) block at `from`, which is contiguous along one of its axes.
template <class V>
Matrix<const typename V::T> pack_a(Matrix<const typename V::T> from, index_t rows, index_t depth,
                                   typename V::T* room) {
    using T = typename V::T;
    const bool along_terms = from.col_stride == 1;
    const index_t lines = along_terms ? rows : depth;
    const index_t length = along_terms ? depth : rows;
    const index_t stride = packed_stride<V>(length);
    const index_t from_stride = along_terms ? from.row_stride : from.col_stride;
    for_each_chunk<V>(lines, length, [&](index_t i, index_t j, auto lanes) {
        lanes.store(room + i * stride + j, lanes.load(from.data + i * from_stride + j));
    });
    return along_terms ? Matrix<const T>{room, stride, 1} : Matrix<const T>{room, 1, stride};
}

// B[t0 : t0 + depth, column : column + width] as a panel [depth][panel_stride].
template <class V>
void pack_b(const GemmArgs<typename V::T>& g, index_t t0, index_t depth, index_t column, index_t width,
            index_t panel_stride, typename V::T* panel) {
    if (g.b.col_stride != 1) {
        transpose<V>(width, depth, {g.b.data + column * g.b.col_stride + t0, g.b.col_stride, 1},
                     {panel, panel_stride, 1});
        return;
    }
    const typename V::T* source = g.b.data + t0 * g.b.row_stride + column;
    for_each_chunk<V>(depth, width, [&](index_t t, index_t j, auto lanes) {
        lanes.store(panel + t * panel_stride + j, lanes.load(source + t * g.b.row_stride + j));
    });
}

}  // namespace ne_torch
