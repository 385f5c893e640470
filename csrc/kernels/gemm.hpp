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
#include "kernels/short_chains.hpp"

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

// What becomes of the sums after the last block of terms.
template <class V>
inline Store store_of(const GemmArgs<typename V::T>& g) {
    switch (g.epilogue) {
        case Epilogue::bias_row:
            return g.bias ? Store::bias_row : Store::sums;
        case Epilogue::bias_column:
            return g.bias ? Store::bias_column : Store::sums;
        case Epilogue::gate:
            return Store::gate;
        case Epilogue::update:
            return SgdStep<V>::plain(*g.update) ? Store::descent : Store::update;
        case Epilogue::store:
            break;
    }
    return Store::sums;
}

// What the store reads beside C, as C lies.
template <class V>
inline Matrix<const typename V::T> beside(const GemmArgs<typename V::T>& g, Store store) {
    switch (store) {
        case Store::bias_row:
            return {g.bias, 1, 0};
        case Store::bias_column:
            return {g.bias, 0, 1};
        case Store::gate:
            return g.gate;
        default:
            return {nullptr, 0, 0};
    }
}

// How a block of rows is cut into tiles below each other, in panels of one width, and who computes them.
template <class V>
struct Cut {
    using Kernel = typename MicroKernels<V>::Kernel;

    Cut(const GemmArgs<typename V::T>& g, index_t rows, int vectors, bool a_in_tiles) {
        if (has_short_chains<V>(g)) others = short_kernel<V>(g.k, vectors);
        if (others) {
            heights = {{0, 2}, {rows, 1}};
            return;
        }
        // Copies of A are in tiles of one height, whatever the width of a panel.
        heights = heights_of<V>(rows, a_in_tiles ? V::max_rows : tallest_tile<V>(vectors, rows));
        if (heights.taller.count > 0) taller = kMicroKernels<V>.of(heights.taller.height, vectors);
        others = kMicroKernels<V>.of(heights.others.height, vectors);
    }
    bool one_tile() const { return heights.taller.count + heights.others.count == 1; }

    Heights heights;
    Kernel taller = nullptr;
    Kernel others = nullptr;
};

// All panels of C's rows [row, row_end) for one block of terms. a: those rows of A, from term t0 on.
template <class V>
void run_block(const GemmArgs<typename V::T>& g, Tiles<V>& tiles, index_t t0, index_t row, index_t row_end,
               const BlockOfA<typename V::T>& a, typename V::T* panels) {
    using T = typename V::T;
    const Matrix<const T> begun = t0 == 0 ? g.initial : Matrix<const T>{g.c.data, g.c.row_stride, 1};
    const Matrix<const T> aside = beside<V>(g, tiles.store);
    tiles.a_row_stride = a.at.row_stride;
    tiles.a_col_stride = a.at.col_stride;
    tiles.a_in_tiles = a.in_tiles;
    tiles.begun_stride = begun.row_stride;
    tiles.beside_stride = aside.row_stride;
    const auto cut_for = [&](int vectors) { return Cut<V>(g, row_end - row, vectors, a.in_tiles); };
    int vectors = widest_tile<V>(g.m);
    while ((vectors - 1) * V::lanes >= g.n) vectors /= 2;
    Cut<V> cut = cut_for(vectors);
    for (index_t column = 0, width; column < g.n; column += width) {
        if ((vectors - 1) * V::lanes >= g.n - column) {
            while ((vectors - 1) * V::lanes >= g.n - column) vectors /= 2;
            cut = cut_for(vectors);
        }
        width = smaller(vectors * V::lanes, g.n - column);
        const index_t panel_stride = vectors * V::lanes;
        // Where all rows are done at once, one panel's room is enough for each in turn, and stays in the
        // cache.
        T* const panel = panels + (row_end - row == g.m ? 0 : column * tiles.depth);
        if (panels && row == 0) pack_b<V>(g, t0, tiles.depth, column, width, panel_stride, panel);
        const int last = static_cast<int>(width - (vectors - 1) * V::lanes);
        tiles.column = column;
        tiles.b = panels ? panel : g.b.data + t0 * g.b.row_stride + column;
        tiles.b_stride = panels ? panel_stride : g.b.row_stride;
        tiles.last = V::first(last);
        tiles.last_is_full = last == V::lanes;
        tiles.onward = {0, 0};
        if (column + width < g.n) {
            tiles.onward = {cut.one_tile() ? 0 : row + cut.heights.others.height - row_end, width};
        } else if (cut.one_tile() && row_end < g.m) {
            tiles.onward = {cut.heights.others.height, -column};
        }
        const auto run = [&](index_t above, index_t count, typename Cut<V>::Kernel kernel) {
            const index_t first = row + above;
            tiles.a = a.at.data + above * a.at.row_stride;
            tiles.c = g.c.at(first, column);
            tiles.begun = begun.data ? begun.at(first, column) : nullptr;
            tiles.beside = aside.at(first, column);
            // The parameters that an update reads, and partial sums, may have left the cache since the last
            // step or block. A tile of few terms does not take as long as memory does. States are fetched by
            // the update, whose square roots and divisions leave time for it; here they would hold up the
            // terms.
            tiles.fetched = g.epilogue == Epilogue::update && !cut.one_tile() ? tiles.c : tiles.begun;
            tiles.fetched_stride = tiles.fetched == tiles.c ? g.c.row_stride : begun.row_stride;
            tiles.rows_below = row_end - first;
            kernel(tiles, count);
        };
        const Heights& heights = cut.heights;
        if (heights.taller.count > 0) run(0, heights.taller.count, cut.taller);
        run(heights.taller.count * heights.taller.height, heights.others.count, cut.others);
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
        Tiles<V> tiles{};
        tiles.args = &g;
        tiles.depth = smaller(depth, g.k - t0);
        const bool last_block = t0 + tiles.depth >= g.k;
        tiles.store = last_block ? store_of<V>(g) : Store::sums;
        const bool biased = g.epilogue == Epilogue::bias_row || g.epilogue == Epilogue::bias_column;
        tiles.rectified = last_block && biased && g.activation == Activation::relu;
        for (index_t row = 0, block = 0; row < g.m; ++block) {
            const index_t row_end = row + shortest + (block < longer ? 1 : 0);
            BlockOfA<T> a{{g.a.at(row, t0), g.a.row_stride, g.a.col_stride}, false};
            if (copy_a) a = pack_a<V>(a.at, row_end - row, tiles.depth, a_room);
            run_block<V>(g, tiles, t0, row, row_end, a, panels);
            row = row_end;
        }
        t0 += tiles.depth;
    } while (t0 < g.k);
}

}  // namespace ne_torch
