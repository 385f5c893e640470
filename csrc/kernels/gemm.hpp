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

// Elements of GemmArgs::workspace that the product needs, and any part of it.
template <class V>
index_t gemm_workspace(const GemmArgs<typename V::T>& g) {
    const index_t depth = g.epilogue == Epilogue::update ? g.k : smaller(g.k, Blocking<V>::kc);
    const index_t b_size = ceil_div(g.n, V::lanes) * V::lanes * depth;
    const index_t stride = packed_stride<V>(depth);
    const index_t a_size = smaller(g.m * stride, larger(Blocking<V>::a_size, V::max_rows * stride));
    return (packs_b<V>(g) ? b_size : 0) + (packs_a<V>(g) ? a_size + V::lanes : 0);
}

// Tiles of one height, the first of which is tile.row's, and of A the one at tile.a.
template <class V, int NV, int MR>
inline void run_tiles(const Equal& tiles, Tile<V>& tile) {
    if constexpr (MR > 0) {
        if (tiles.height == MR) {
            micro_kernel<V, MR, NV>(tile, tiles.count);
        } else {
            run_tiles<V, NV, MR - 1>(tiles, tile);
        }
    }
}

template <class V, int NV>
void run_rows(Tile<V>& tile, index_t row_begin, const Heights& heights, const typename V::T* a) {
    for_each_height(heights, [&](index_t row, const Equal& tiles) {
        tile.row = row_begin + row;
        tile.a = a + row * tile.a_row_stride;
        run_tiles<V, NV, V::max_rows>(tiles, tile);
    });
}

template <class V, int NV>
inline void run_panel(int vectors, Tile<V>& tile, index_t row_begin, const Heights& heights,
                      const typename V::T* a) {
    if constexpr (NV > 0) {
        if (vectors == NV) {
            run_rows<V, NV>(tile, row_begin, heights, a);
        } else {
            run_panel<V, NV - 1>(vectors, tile, row_begin, heights, a);
        }
    }
}

// All panels of C's rows [row, row_end) for one block of terms. a: those rows of A, from term t0 on.
template <class V>
void run_block(const GemmArgs<typename V::T>& g, Tile<V>& tile, index_t t0, index_t row, index_t row_end,
               const BlockOfA<typename V::T>& a, typename V::T* panels) {
    constexpr index_t nr = Blocking<V>::nr;
    const Heights heights = heights_of<V>(row_end - row);
    tile.row_begin = row;
    tile.row_end = row_end;
    tile.across = heights.taller.count + heights.others.count == 1;
    tile.a_row_stride = a.at.row_stride;
    tile.a_col_stride = a.at.col_stride;
    tile.a_in_tiles = a.in_tiles;
    for (index_t column = 0; column < g.n; column += nr) {
        const index_t width = smaller(nr, g.n - column);
        const int vectors = static_cast<int>(ceil_div(width, V::lanes));
        const index_t panel_stride = vectors * V::lanes;
        // Where all rows are done at once, one panel's room is enough for each in turn, and stays in the
        // cache.
        typename V::T* const panel = panels + (row_end - row == g.m ? 0 : column * tile.depth);
        if (panels && row == 0) pack_b<V>(g, t0, tile.depth, column, width, panel_stride, panel);
        const int last = static_cast<int>(width - (vectors - 1) * V::lanes);
        tile.column = column;
        tile.b = panels ? panel : g.b.data + t0 * g.b.row_stride + column;
        tile.b_stride = panels ? panel_stride : g.b.row_stride;
        tile.last = V::first(last);
        tile.last_is_full = last == V::lanes;
        run_panel<V, V::max_vectors>(vectors, tile, row, heights, a.at.data);
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
    const index_t blocks = blocks_of_rows<V>(g, depth);
    const index_t shortest = blocks == 1 ? g.m : g.m / blocks;
    const index_t longer = g.m - shortest * blocks;  // so many blocks have a row more
    index_t t0 = 0;
    do {  // also once for k = 0: the empty chain is +0
        Tile<V> tile{};
        tile.args = &g;
        tile.depth = smaller(depth, g.k - t0);
        tile.first_block = t0 == 0;
        tile.last_block = t0 + tile.depth >= g.k;
        for (index_t row = 0, block = 0; row < g.m; ++block) {
            const index_t row_end = row + shortest + (block < longer ? 1 : 0);
            BlockOfA<T> a{{g.a.at(row, t0), g.a.row_stride, g.a.col_stride}, false};
            if (copy_a) a = pack_a<V>(a.at, row_end - row, tile.depth, a_room);
            run_block<V>(g, tile, t0, row, row_end, a, panels);
            row = row_end;
        }
        t0 += tile.depth;
    } while (t0 < g.k);
}

}  // namespace ne_torch
