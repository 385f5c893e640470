// Sizes of blocks around the register tile; see gemm.hpp for the loops they bound.
#pragma once

#include <cstdint>

#include "core/compiler.hpp"
#include "core/gemm_args.hpp"
#include "kernels/lanes.hpp"
#include "kernels/optimizers.hpp"

namespace ne_torch {

static inline index_t ceil_div(index_t a, index_t b) { return (a + b - 1) / b; }
static inline index_t smaller(index_t a, index_t b) { return a < b ? a : b; }
static inline index_t larger(index_t a, index_t b) { return a < b ? b : a; }

// The row stride of a copy: an odd number of vectors, so that rows do not fall into a few sets of the cache.
template <class V>
inline index_t packed_stride(index_t length) {
    return (ceil_div(length, V::lanes) | 1) * V::lanes;
}

// So many tiles of so many rows.
struct Equal {
    index_t count;
    index_t height;
};

// Rows in tiles of nearly equal height, so that none is too short to hide the latency of an FMA: first those
// with a row more than the others, then the others.
struct Heights {
    Equal taller;
    Equal others;
};

template <class V>
inline Heights heights_of(index_t rows, int most = V::max_rows) {
    const index_t tiles = ceil_div(rows, most);
    // in 32 bits, which hold the rows of a block and are divided in half of the time
    const index_t height = static_cast<std::uint32_t>(rows) / static_cast<std::uint32_t>(tiles);
    const index_t taller = rows - height * tiles;
    return {{taller, height + 1}, {tiles - taller, height}};
}

// body(first row, tiles)
template <class Body>
NE_TORCH_INLINE void for_each_height(const Heights& heights, Body body) {
    if (heights.taller.count > 0) body(0, heights.taller);
    body(heights.taller.count * heights.taller.height, heights.others);
}

template <class V>
struct Blocking {
    static constexpr index_t mr = V::max_rows;
    static constexpr index_t nr = V::max_vectors * V::lanes;
    // Terms of a block. A panel of B, KC x NR, takes half of a first-level cache of 32 KiB with AVX2, beside
    // the tile of A that streams past it, and is read from there by all tiles of a block of rows. With
    // AVX-512 it is 68 KiB and streams from the second level, at 21 bytes a cycle or less; half as many
    // terms, which would stay in the first, measure alike or worse.
    static constexpr index_t kc = 272;
    // A block of A: 192 KiB, which leaves room for B and C in a second-level cache of 512 KiB. A larger one
    // would save only reads of B's panels, one in every 32 tiles.
    static constexpr index_t a_size = 196608 / static_cast<index_t>(sizeof(typename V::T));
    // Its rows, `depth` terms each.
    static index_t rows_of_a(index_t depth) {
        const index_t rows = a_size / packed_stride<V>(depth);
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

// What few registers leave of a tile, AVX2's twelve vectors: what it takes beside its multiply-adds is shared
// by few of these, so that other shapes than MR x NR pay. Not so without vectors; and a wheel of 1 MB has no
// room for them in float64.
template <class V>
constexpr int kTileVectors = V::max_rows * V::max_vectors;
template <class V>
constexpr bool kSmallTiles = V::lanes > 1 && kTileVectors<V> < 16 && sizeof(typename V::T) == sizeof(float);

// The most terms for which a panel of B stays in registers, beside the sums of a row and a broadcast. In
// float64 there is no room for that either; on NEON it was not measured.
template <class V>
constexpr int kShortChain = kSmallTiles<V> || (kVectorIsLine<V> && V::lanes == 16) ? 4 : 0;

// Whether rows are computed one after the other, see short_chains.hpp: a tile or more of them, whose chains
// begin at +0, and end in no update with states.
template <class V>
inline bool has_short_chains(const GemmArgs<typename V::T>& g) {
    if (g.k == 0 || g.k > kShortChain<V> || g.m <= V::max_rows || g.initial.data) return false;
    return g.epilogue != Epilogue::update || (g.update && SgdStep<V>::plain(*g.update));
}

// The power of two in the distance of rows, at most 4 KiB: the lines at which they begin share 4 KiB / step
// of the 64 sets of a first-level cache, so that few of many stay there.
template <class T>
static inline index_t set_step(index_t row_stride) {
    const index_t bytes = row_stride * static_cast<index_t>(sizeof(T));
    return smaller(bytes & -bytes, 4096);
}

// Whether C is gone through along its rows, a tile high, and not down its columns of tiles, which describes
// more tiles at once. It suits a wide C whose columns of tiles fall into few sets, if its tiles are few or
// take few terms; the more so where C is a parameter and read first. It also suits an update whose parameters
// and states come from beyond a second-level cache, where down a column every row lies in another page: from
// 3 MiB on it takes up to 13 % less of a step, as long as B stays in the second level.
template <class V>
inline bool goes_along_rows(const GemmArgs<typename V::T>& g, index_t depth) {
    constexpr index_t size = sizeof(typename V::T);
    constexpr index_t cached = 655360 / size, far = 3145728 / size;
    if (g.n <= 4 * Blocking<V>::nr) return false;
    const index_t step = set_step<typename V::T>(g.c.row_stride);
    if (step == 4096 && (g.m <= 2 * V::max_rows || depth <= 8)) return true;
    if (g.epilogue != Epilogue::update) return false;
    if (step >= 2048 && depth <= 16) return true;
    index_t states = 0;
    for (const auto* state : g.state) states += state ? 1 : 0;
    return states > 0 && g.n * depth <= cached && g.m * g.n * (1 + states) >= far;
}

// Blocks of rows of A, and of C, each done with before the next. Seldom more than one, which takes no
// division: one takes as long as a small tile.
template <class V>
inline index_t blocks_of_rows(const GemmArgs<typename V::T>& g, index_t depth) {
    if (goes_along_rows<V>(g, depth)) return ceil_div(g.m, V::max_rows);
    if (g.m * packed_stride<V>(depth) <= Blocking<V>::a_size) return 1;
    return ceil_div(g.m, Blocking<V>::rows_of_a(depth));
}

// Terms of one block: all of them, or an even share of at most KC, in whole vectors, so that blocks begin at
// cache lines. Where few rows of C use a transposed panel, it is to stay in a first-level cache meanwhile. An
// update consumes the finished sum and C holds the parameter, so its chain is never interrupted.
template <class V>
inline index_t block_depth(const GemmArgs<typename V::T>& g) {
    constexpr index_t streamed = 32;
    constexpr index_t passed_once = 128;  // 16 KiB with AVX-512
    if (g.epilogue == Epilogue::update) return g.k;
    if (streams_b<V>(g)) return smaller(streamed, g.k);
    const bool few_rows = g.b.col_stride != 1 && g.m <= 2 * V::max_rows;
    const index_t most = few_rows ? passed_once : Blocking<V>::kc;
    if (g.k <= most) return g.k;
    return ceil_div(ceil_div(g.k, ceil_div(g.k, most)), V::lanes) * V::lanes;
}

}  // namespace ne_torch
