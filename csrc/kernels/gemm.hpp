// C = epilogue(A B), any shape: the blocking around the register tile. See core/gemm_args.hpp for the
// formula.
//
//   for a block of KC terms            the chain is taken up again at the next block, through C
//     for a block of rows of A         which stays in the second-level cache
//       for a panel of NR columns      of B, packed for the first block of rows where that pays
//         for a tile of MR rows        micro-kernel
#pragma once

#include "core/gemm_args.hpp"
#include "kernels/blocking.hpp"
#include "kernels/micro_kernel.hpp"
#include "kernels/packing.hpp"

namespace ne_torch {

// Elements of GemmArgs::workspace that the product needs.
template <class V>
index_t gemm_workspace(const GemmArgs<typename V::T>& g) {
    const index_t depth = block_depth<V>(g);
    const index_t rows = smaller(rows_of_block<V>(g, depth), g.m);
    return (packs_b<V>(g) ? ceil_div(g.n, V::lanes) * V::lanes * depth : 0) +
           (packs_a<V>(g) ? packed_a_size<V>(g, rows, depth) : 0);
}

// Rows of a block in tiles of nearly equal height, so that no tile is too short to hide the FMA latency.
template <class V, int NV, int MR>
inline void run_tile(int rows, const Tile<V>& tile) {
    if constexpr (MR > 0) {
        if (rows == MR) {
            micro_kernel<V, MR, NV>(tile);
        } else {
            run_tile<V, NV, MR - 1>(rows, tile);
        }
    }
}

template <class V, int NV>
void run_rows(Tile<V> tile, index_t row_begin, index_t row_end, const typename V::T* a) {
    const index_t rows = row_end - row_begin;
    const index_t tiles = ceil_div(rows, V::max_rows);
    index_t row = row_begin;
    for (index_t i = 0; i < tiles; ++i) {
        const index_t end = row_begin + rows * (i + 1) / tiles;
        tile.row = row;
        tile.a = a + (row - row_begin) * tile.a_row_stride;
        run_tile<V, NV, V::max_rows>(static_cast<int>(end - row), tile);
        row = end;
    }
}

template <class V, int NV>
inline void run_panel(int vectors, const Tile<V>& tile, index_t row_begin, index_t row_end,
                      const typename V::T* a) {
    if constexpr (NV > 0) {
        if (vectors == NV) {
            run_rows<V, NV>(tile, row_begin, row_end, a);
        } else {
            run_panel<V, NV - 1>(vectors, tile, row_begin, row_end, a);
        }
    }
}

// All panels of C's rows [row, row_end) for one block of terms. a: the element A[row, t0].
template <class V>
void run_block(const GemmArgs<typename V::T>& g, Tile<V> tile, index_t t0, index_t row, index_t row_end,
               Matrix<const typename V::T> a, typename V::T* panels) {
    constexpr index_t nr = Blocking<V>::nr;
    tile.a_row_stride = a.row_stride;
    tile.a_col_stride = a.col_stride;
    for (index_t column = 0; column < g.n; column += nr) {
        const index_t width = smaller(nr, g.n - column);
        const int vectors = static_cast<int>(ceil_div(width, V::lanes));
        const index_t panel_stride = vectors * V::lanes;
        typename V::T* const panel = panels + column * tile.depth;
        if (panels && row == 0) pack_b<V>(g, t0, tile.depth, column, width, panel_stride, panel);
        const int last = static_cast<int>(width - (vectors - 1) * V::lanes);
        tile.column = column;
        tile.b = panels ? panel : g.b.data + t0 * g.b.row_stride + column;
        tile.b_stride = panels ? panel_stride : g.b.row_stride;
        tile.last = V::first(last);
        tile.last_is_full = last == V::lanes;
        run_panel<V, V::max_vectors>(vectors, tile, row, row_end, a.data);
    }
}

template <class V>
void gemm(const GemmArgs<typename V::T>& g) {
    using T = typename V::T;
    if (g.m == 0 || g.n == 0) return;
    const index_t depth = block_depth<V>(g);
    T* const panels = packs_b<V>(g) ? g.workspace : nullptr;
    T* const a_room = g.workspace + (panels ? ceil_div(g.n, V::lanes) * V::lanes * depth : 0);
    const bool copy_a = packs_a<V>(g);
    const index_t block_rows = rows_of_block<V>(g, depth);
    index_t t0 = 0;
    do {  // also once for k = 0: the empty chain is +0
        Tile<V> tile{};
        tile.args = &g;
        tile.depth = smaller(depth, g.k - t0);
        tile.first_block = t0 == 0;
        tile.last_block = t0 + tile.depth >= g.k;
        for (index_t row = 0; row < g.m; row += block_rows) {
            const index_t row_end = smaller(row + block_rows, g.m);
            Matrix<const T> a{g.a.at(row, t0), g.a.row_stride, g.a.col_stride};
            if (copy_a) a = pack_a<V>(a, row_end - row, tile.depth, a_room);
            run_block<V>(g, tile, t0, row, row_end, a, panels);
        }
        t0 += tile.depth;
    } while (t0 < g.k);
}

}  // namespace ne_torch
