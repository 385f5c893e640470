// C = epilogue(A B), any shape: the blocking around the register tile. See core/gemm_args.hpp for the
// formula.
//
//   for a block of KC terms            the chain is taken up again at the next block, through C
//     pack B[KC, n] into panels        where that pays; otherwise panels are read where they lie
//     for a block of MC rows           MC x KC elements of A stay in the second-level cache
//       for a panel of NR columns      KC x NR elements of B stay in the first-level cache
//         for a tile of MR rows        micro-kernel
#pragma once

#include "core/gemm_args.hpp"
#include "kernels/micro_kernel.hpp"
#include "kernels/transpose.hpp"

namespace ne_torch {

template <class V>
struct Blocking {
    static constexpr index_t mr = V::max_rows;
    static constexpr index_t nr = V::max_vectors * V::lanes;
    // KC * NR elements are half of a first-level cache of 128 KiB for short chains... see docs/performance.md
    static constexpr index_t kc = 65536 / static_cast<index_t>(sizeof(typename V::T)) / nr * 2;
    static constexpr index_t mc = 262144 / static_cast<index_t>(sizeof(typename V::T)) / kc / mr * mr;
};

static inline index_t ceil_div(index_t a, index_t b) { return (a + b - 1) / b; }
static inline index_t smaller(index_t a, index_t b) { return a < b ? a : b; }

// Terms of one block: all of them, or an even share of at most KC. An update consumes the finished sum and C
// holds the parameter, so its chain is never interrupted.
template <class V>
inline index_t block_depth(const GemmArgs<typename V::T>& g) {
    if (g.epilogue == Epilogue::sgd || g.k <= Blocking<V>::kc) return g.k;
    return ceil_div(g.k, ceil_div(g.k, Blocking<V>::kc));
}

// A transposed operand must be packed. One in place costs cache and TLB misses at wide row strides, which
// pays for a copy when enough rows of C use it.
template <class V>
inline bool packs_b(const GemmArgs<typename V::T>& g) {
    if (g.b.col_stride != 1) return true;
    return g.m >= 8 * V::max_rows && g.b.row_stride > 2 * Blocking<V>::nr;
}

// Elements of GemmArgs::workspace that the product needs.
template <class V>
index_t gemm_workspace(const GemmArgs<typename V::T>& g) {
    return packs_b<V>(g) ? ceil_div(g.n, V::lanes) * V::lanes * block_depth<V>(g) : 0;
}

// Packs B[t0 : t0 + depth, :] into panels of nr columns, each [depth][width rounded up to lanes].
template <class V>
void pack_panel(const GemmArgs<typename V::T>& g, index_t t0, index_t depth, index_t column, index_t width,
                index_t panel_stride, typename V::T* panel) {
    using T = typename V::T;
    if (g.b.col_stride != 1) {
        transpose<V>(width, depth, {g.b.data + column * g.b.col_stride + t0, g.b.col_stride},
                     {panel, panel_stride});
        return;
    }
    const T* source = g.b.data + t0 * g.b.row_stride + column;
    for (index_t t = 0; t < depth; ++t) {
        for_each_chunk<V>(width, [&](index_t j, auto lanes) {
            lanes.store(panel + t * panel_stride + j, lanes.load(source + t * g.b.row_stride + j));
        });
    }
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
        tile.a = a + row * tile.args->a.row_stride;
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

template <class V>
void gemm(const GemmArgs<typename V::T>& g) {
    using T = typename V::T;
    constexpr index_t nr = Blocking<V>::nr;
    if (g.m == 0 || g.n == 0) return;
    const bool packed = packs_b<V>(g);
    const index_t depth = block_depth<V>(g);
    index_t t0 = 0;
    do {  // also once for k = 0: the empty chain is +0
        const index_t terms = smaller(depth, g.k - t0);
        for (index_t row = 0; row < g.m; row += Blocking<V>::mc) {
            const index_t row_end = smaller(row + Blocking<V>::mc, g.m);
            for (index_t column = 0; column < g.n; column += nr) {
                const index_t width = smaller(nr, g.n - column);
                const int vectors = static_cast<int>(ceil_div(width, V::lanes));
                const index_t panel_stride = vectors * V::lanes;
                T* const panel = g.workspace + column * terms;
                if (packed && row == 0) pack_panel<V>(g, t0, terms, column, width, panel_stride, panel);

                Tile<V> tile{};
                tile.args = &g;
                tile.column = column;
                tile.depth = terms;
                tile.b = packed ? panel : g.b.data + t0 * g.b.row_stride + column;
                tile.b_stride = packed ? panel_stride : g.b.row_stride;
                const int last = static_cast<int>(width - (vectors - 1) * V::lanes);
                tile.last = V::first(last);
                tile.last_is_full = last == V::lanes;
                tile.first_block = t0 == 0;
                tile.last_block = t0 + terms >= g.k;
                run_panel<V, V::max_vectors>(vectors, tile, row, row_end, g.a.data + t0 * g.a.col_stride);
            }
        }
        t0 += terms;
    } while (t0 < g.k);
}

}  // namespace ne_torch
