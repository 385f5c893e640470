// Copies of operands for gemm.hpp, made where reading them in place would cost more than the copy.
//
//   B  [k, n] -> panels of NR columns, each contiguous: [k][NR]
//   A  a block of rows: contiguous along terms, [row][term], where its rows lie badly;
//                       contiguous along rows, in tiles, [tile][term][row of the tile]
#pragma once

#include "core/gemm_args.hpp"
#include "kernels/blocking.hpp"
#include "kernels/lanes.hpp"
#include "kernels/transpose.hpp"

namespace ne_torch {

// A transposed operand must be packed. One in place costs cache and TLB misses at wide row strides, which
// pays for a copy when enough rows of C use it: the fewer, the more terms of a panel fall into one set.
template <class V>
inline bool packs_b(const GemmArgs<typename V::T>& g) {
    if (g.b.col_stride != 1) return true;
    if (is_large_b<V>(g)) return !streams_b<V>(g);
    if (g.b.row_stride <= 2 * Blocking<V>::nr) return false;
    if (g.m >= 32 * V::max_rows) return true;
    // More terms than their sets hold lines, and enough rows: 15 where B's lie 4 KiB apart, 120 at 512 bytes.
    const index_t step = set_step<typename V::T>(g.b.row_stride);
    return g.k * step > 32768 && g.m * step >= 61440;
}

// Terms that lie a row of A apart are a cache line for a few numbers each; in tiles they are read from first
// to last. That pays for a copy which two panels read, unless all of A stays in the cache anyhow: in half of
// a first-level one, or, with AVX-512, whose panels are four times as wide, in half of a second-level one
// (128 x 784 weights at 128 columns in 0.91 of the time, 256 x 256 in 0.89; 512 x 784 would take 1.1). Six
// rows of a tile that lie 4 KiB apart take more than half of what a set of the cache holds, and evict the
// panel of B; with AVX-512 it streams past them anyhow, and a copy costs 3 to 6 %.
template <class V>
inline bool packs_a(const GemmArgs<typename V::T>& g) {
    constexpr bool streams = kVectorIsLine<V>;
    constexpr index_t small = (streams ? 524288 : 16384) / static_cast<index_t>(sizeof(typename V::T));
    if (g.n < 2 * Blocking<V>::nr || g.m * g.k <= small || has_short_chains<V>(g)) return false;
    return g.a.col_stride != 1 || (!streams && V::max_rows * set_step<typename V::T>(g.a.row_stride) > 16384);
}

// A block of A as the tiles read it: rows and terms at strides, or tile after tile.
template <class T>
struct BlockOfA {
    Matrix<const T> at;
    bool in_tiles;
};

// tile[t][i] = from[i, t] for so many terms. AVX2 stores whole vectors, for a masked store is slow there:
// what is too much is overwritten by the next term, but not behind the last one of all.
template <class V>
NE_TORCH_INLINE void pack_terms(Matrix<const typename V::T> from, index_t height, index_t terms, bool last,
                                typename V::T* tile) {
    for (index_t i = (height - 1) / V::lanes * V::lanes; i >= 0; i -= V::lanes) {
        const auto lanes = V::first(static_cast<int>(smaller(height - i, V::lanes)));
        const index_t whole = kVectorIsLine<V> ? 0 : last ? terms - 1 : terms;
        for (index_t t = 0; t < whole; ++t) V::load(from.at(i, t), lanes).store(tile + t * height + i);
        for (index_t t = whole; t < terms; ++t) {
            V::load(from.at(i, t), lanes).store(tile + t * height + i, lanes);
        }
    }
}

// Tiles of one height, contiguous along rows, a few terms of each in turn, so that a line of memory is read
// while it is in the cache, and fetched meanwhile for the next few: it may come from another core. A tile
// begins where its first row would, had rows a stride of their own.
template <class V>
void pack_tiles(Matrix<const typename V::T> from, const Equal& tiles, index_t depth, index_t stride,
                typename V::T* room) {
    constexpr index_t few = 8, line = 64 / static_cast<index_t>(sizeof(typename V::T));
    const index_t height = tiles.height;
    for (index_t t = 0; t < depth; t += few) {
        const bool last = depth - t <= few;
        for (index_t j = t + few; j < smaller(t + 2 * few, depth); ++j) {
            for (index_t i = 0; i < tiles.count * height; i += line) NE_TORCH_PREFETCH(from.at(i, j));
        }
        for (index_t i = 0; i < tiles.count; ++i) {
            pack_terms<V>({from.at(i * height, t), 1, from.col_stride}, height, last ? depth - t : few, last,
                          room + i * height * stride + t * height);
        }
    }
}

// A copy of the (rows, depth) block at `from`, which is contiguous along one of its axes.
template <class V>
BlockOfA<typename V::T> pack_a(Matrix<const typename V::T> from, index_t rows, index_t depth,
                               typename V::T* room) {
    const index_t stride = packed_stride<V>(depth);
    if (from.col_stride == 1) {
        for_each_chunk<V>(rows, depth, [&](index_t i, index_t t, auto lanes) {
            lanes.store(room + i * stride + t, lanes.load(from.at(i, t)));
        });
        return {{room, stride, 1}, false};
    }
    for_each_height(heights_of<V>(rows), [&](index_t row, const Equal& tiles) {
        pack_tiles<V>({from.at(row, 0), 1, from.col_stride}, tiles, depth, stride, room + row * stride);
    });
    return {{room, stride, 0}, true};
}

// B[t0 : t0 + depth, column : column + width] as a panel [depth][panel_stride]. Rows in place are a line or
// two each, and are fetched well ahead.
template <class V>
void pack_b(const GemmArgs<typename V::T>& g, index_t t0, index_t depth, index_t column, index_t width,
            index_t panel_stride, typename V::T* panel) {
    if (g.b.col_stride != 1) {
        transpose<V>(width, depth, {g.b.data + column * g.b.col_stride + t0, g.b.col_stride, 1},
                     {panel, panel_stride, 1});
        return;
    }
    constexpr index_t ahead = 32;
    const typename V::T* source = g.b.data + t0 * g.b.row_stride + column;
    for_each_chunk<V>(depth, width, [&](index_t t, index_t j, auto lanes) {
        NE_TORCH_PREFETCH(source + (t + ahead) * g.b.row_stride + j);
        lanes.store(panel + t * panel_stride + j, lanes.load(source + t * g.b.row_stride + j));
    });
}

}  // namespace ne_torch
