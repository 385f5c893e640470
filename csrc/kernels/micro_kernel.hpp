// The register tile: C[r, c] = epilogue(chain over t of fma(A[r, t], B[t, c])) for MR rows and NV vectors.
//
// SIMD lanes and accumulators are outputs, never parts of a sum, so every C[r, c] is one chain of fused
// multiply-adds from +0, ascending in t, whatever the tile it fell into. Called by gemm.hpp alone.
#pragma once

#include "core/compiler.hpp"
#include "core/gemm_args.hpp"
#include "kernels/lanes.hpp"
#include "kernels/store_tile.hpp"
#include "kernels/tile.hpp"

namespace ne_torch {

// The lines of a tile of `matrix` that begins at element `at`.
template <class V, int MR, int NV>
NE_TORCH_INLINE void prefetch_tile(Matrix<const typename V::T> matrix, index_t at) {
    constexpr int line = 64 / static_cast<int>(sizeof(typename V::T));
    const Rows<const typename V::T, MR> lines(matrix.data + at, matrix.row_stride);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
        for (int i = 0; i < NV * V::lanes; i += line) NE_TORCH_PREFETCH_WRITE(lines.at(r) + i);
    }
}

// How a tile's terms are reached.
template <class V, int MR, int NV, index_t RowStride, index_t ColStride, class Last>
struct Terms {
    using T = typename V::T;

    NE_TORCH_INLINE Terms(const Tile<V>& tile, index_t row, index_t col, Last which)
        : a(tile.a, row),
          col_stride(ColStride > 0 ? ColStride : col),
          b_stride(tile.b_stride),
          b(tile.b),
          last(which) {}

    // sum[r][v] takes up the next term.
    NE_TORCH_INLINE void add(V (&sum)[MR][NV]) {
        V bt[NV];
#pragma GCC unroll 4
        for (int v = 0; v + 1 < NV; ++v) bt[v] = V::load(b + v * V::lanes);
        bt[NV - 1] = last.load(b + (NV - 1) * V::lanes);
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            const V ar = V::broadcast(*a.at(r));
#pragma GCC unroll 4
            for (int v = 0; v < NV; ++v) sum[r][v] = V::fma(ar, bt[v], sum[r][v]);
        }
        a.move(col_stride);
        b += b_stride;
    }

    Rows<const T, MR, RowStride> a;
    const index_t col_stride, b_stride;
    const T* b;
    const Last last;
};

// Four terms a turn: that leaves two instructions each beside FMA, loads and broadcasts, so that the front
// end runs ahead into the next tile.
template <class V, int MR, int NV, index_t RowStride, index_t ColStride>
NE_TORCH_INLINE void add_terms(const Tile<V>& tile, V (&sum)[MR][NV]) {
    Terms<V, MR, NV, RowStride, ColStride, AllLanes<V>> terms(tile, tile.a_row_stride, 1, {});
#pragma GCC unroll 4
    for (index_t t = tile.depth; t > 0; --t) terms.add(sum);
}

// Any strides, and a last vector of any width, one term a turn: the last panel of a row, and what is too
// small to be copied. It is one loop, because it stands in every shape of tile.
template <class V, int MR, int NV>
NE_TORCH_INLINE void add_any_terms(const Tile<V>& tile, V (&sum)[MR][NV]) {
    const index_t row = tile.a_in_tiles ? 1 : tile.a_row_stride;
    const index_t col = tile.a_in_tiles ? MR : tile.a_col_stride;
    Terms<V, MR, NV, 0, 0, FirstLanes<V>> terms(tile, row, col, {tile.last});
#pragma GCC unroll 1
    for (index_t t = tile.depth; t > 0; --t) terms.add(sum);
}

template <class V, int MR, int NV>
NE_TORCH_INLINE void run_tile(const Tile<V>& tile) {
    using T = typename V::T;
    const GemmArgs<T>& g = *tile.args;
    V sum[MR][NV];
    const Matrix<const T> c{g.c.data, g.c.row_stride, 1};
    const Matrix<const T> from = tile.first_block ? g.initial : c;
    if (!from.data) {
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
            for (int v = 0; v < NV; ++v) sum[r][v] = V::broadcast(0);
        }
    } else {
        const Rows<const T, MR> begun(from.at(tile.row, tile.column), from.row_stride);
        for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
            sum[r][v] = lanes.load(begun.at(r) + v * V::lanes);
        });
    }

    // The next tile's parameters, if they are updated, and its partial sums may have left the cache since the
    // last step or block. A tile of few terms does not take as long as memory does. States are fetched by the
    // update, whose square roots and divisions leave time for it; here they would hold up the terms.
    const Matrix<const T> wanted = g.epilogue == Epilogue::update && !tile.across ? c : from;
    if (wanted.data) {
        const index_t next = tile.to_next(MR, NV * V::lanes, wanted.row_stride);
        if (next != 0) {
            prefetch_tile<V, MR, NV>(wanted, tile.row * wanted.row_stride + tile.column + next);
        }
    }

    if (tile.last_is_full && tile.a_in_tiles) {
        add_terms<V, MR, NV, 1, MR>(tile, sum);
    } else if (tile.last_is_full && tile.a_col_stride == 1) {
        add_terms<V, MR, NV, 0, 1>(tile, sum);
    } else {
        add_any_terms<V, MR, NV>(tile, sum);
    }
    store_tile<V, MR, NV>(tile, sum);
}

// So many tiles, one below the other, the first of them at `tile`, which moves along. There is one
// description for all tiles of a block: a copy of what was just written, in pieces, would wait for it.
template <class V, int MR, int NV>
void micro_kernel(Tile<V>& tile, index_t tiles) {
    for (; tiles > 0; --tiles) {
        run_tile<V, MR, NV>(tile);
        tile.row += MR;
        tile.a += MR * tile.a_row_stride;
    }
}

}  // namespace ne_torch
