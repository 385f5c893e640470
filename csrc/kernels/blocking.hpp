// Sizes of blocks around the register tile; see gemm.hpp for the loops they bound.
#pragma once

#include "core/gemm_args.hpp"

namespace ne_torch {

static inline index_t ceil_div(index_t a, index_t b) { return (a + b - 1) / b; }
static inline index_t smaller(index_t a, index_t b) { return a < b ? a : b; }

template <class V>
struct Blocking {
    static constexpr index_t mr = V::max_rows;
    static constexpr index_t nr = V::max_vectors * V::lanes;
    // Terms of a block. A panel of B, KC x NR, takes half of a first-level cache of 32 KiB with AVX2, beside
    // the tile of A that streams past it, and is read from there by all tiles of a block of rows. With
    // AVX-512 it is 34 KiB and partly streams from the second level, at 11 bytes a cycle or less, which
    // measures alike.
    static constexpr index_t kc = 272;
    // Rows of a block of A, `depth` terms each: 192 KiB, which leaves room for B and C in a second-level
    // cache of 512 KiB. A larger one would save only reads of B's panels, one in every 32 tiles.
    static constexpr index_t rows_of_a(index_t depth) {
        const index_t rows = 196608 / static_cast<index_t>(sizeof(typename V::T)) / (depth > 0 ? depth : 1);
        return rows < mr ? mr : rows / mr * mr;
    }
};

// A B of more than half a second-level cache, whose panels would be read across its rows.
template <class V>
inline bool is_large_b(const GemmArgs<typename V::T>& g) {
    constexpr index_t large = 524288 / static_cast<index_t>(sizeof(typename V::T));
    return g.n > 2 * Blocking<V>::nr && g.k * g.b.row_stride > large;
}

// For few rows of C a large B is best read in place and along its rows: a few of them at a time, over all
// columns, so that pages and prefetchers stay with them.
template <class V>
inline bool streams_b(const GemmArgs<typename V::T>& g) {
    return g.b.col_stride == 1 && g.m <= 2 * V::max_rows && is_large_b<V>(g);
}

// Rows of A, and of C, that are done with before the next ones. Where B is small and C is wide, one tile's
// worth: C is then written along its rows.
template <class V>
inline index_t rows_of_block(const GemmArgs<typename V::T>& g, index_t depth) {
    constexpr index_t small = 65536 / static_cast<index_t>(sizeof(typename V::T));
    if (g.n > 4 * Blocking<V>::nr && g.n * depth <= small) return V::max_rows;
    return Blocking<V>::rows_of_a(depth);
}

// Terms of one block: all of them, or an even share of at most KC. An update consumes the finished sum and
// C holds the parameter, so its chain is never interrupted.
template <class V>
inline index_t block_depth(const GemmArgs<typename V::T>& g) {
    constexpr index_t streamed = 32;
    if (g.epilogue != Epilogue::update && streams_b<V>(g)) return smaller(streamed, g.k);
    if (g.epilogue == Epilogue::update || g.k <= Blocking<V>::kc) return g.k;
    return ceil_div(g.k, ceil_div(g.k, Blocking<V>::kc));
}

}  // namespace ne_torch
