// The register tile: C[r, c] = epilogue(chain over t of fma(A[r, t], B[t, c])) for MR rows and NV vectors.
//
// SIMD lanes and accumulators are outputs, never parts of a sum, so every C[r, c] is one chain of fused
// multiply-adds from +0, ascending in t, whatever the tile it fell into. Called by gemm.hpp alone.
#pragma once

#include "core/compiler.hpp"
#include "core/gemm_args.hpp"
#include "kernels/blocking.hpp"
#include "kernels/lanes.hpp"
#include "kernels/store_tile.hpp"
#include "kernels/tile.hpp"

namespace ne_torch {

// The lines of a tile that begins at `first`.
template <class V, int MR, int NV>
NE_TORCH_INLINE void prefetch_tile(const typename V::T* first, index_t stride) {
    constexpr int line = 64 / static_cast<int>(sizeof(typename V::T));
    const Rows<const typename V::T, MR> lines(first, stride);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 8
        for (int i = 0; i < NV * V::lanes; i += line) NE_TORCH_PREFETCH_WRITE(lines.at(r) + i);
    }
}

// Where the chains of a tile begin: at +0, or where they were left.
template <class V, int MR, int NV>
NE_TORCH_INLINE void begin_sums(const Edge<V>& edge, V (&sum)[MR][NV], const typename V::T* begun,
                                index_t stride) {
    if (!begun) {
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 8
            for (int v = 0; v < NV; ++v) sum[r][v] = V::broadcast(0);
        }
        return;
    }
    const Rows<const typename V::T, MR> from(begun, stride);
    edge.template for_each_vector<MR, NV>([&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
        sum[r][v] = lanes.load(from.at(r) + v * V::lanes);
    });
}

// How a tile's terms are reached.
template <class V, int MR, int NV, index_t RowStride, index_t ColStride, class Last>
struct Terms {
    using T = typename V::T;

    NE_TORCH_INLINE Terms(const Tiles<V>& tiles, const T* first, index_t row, index_t col, Last which)
        : a(first, row),
          col_stride(ColStride > 0 ? ColStride : col),
          b_stride(tiles.b_stride),
          b(tiles.b),
          last(which) {}

    // sum[r][v] takes up the next term.
    NE_TORCH_INLINE void add(V (&sum)[MR][NV]) {
        V bt[NV];
#pragma GCC unroll 8
        for (int v = 0; v + 1 < NV; ++v) bt[v] = V::load(b + v * V::lanes);
        bt[NV - 1] = last.load(b + (NV - 1) * V::lanes);
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            const V ar = V::broadcast(*a.at(r));
#pragma GCC unroll 8
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
NE_TORCH_INLINE void add_terms(const Tiles<V>& tiles, const typename V::T* a, V (&sum)[MR][NV]) {
    Terms<V, MR, NV, RowStride, ColStride, AllLanes<V>> terms(tiles, a, tiles.a_row_stride, 1, {});
#pragma GCC unroll 4
    for (index_t t = tiles.depth; t > 0; --t) terms.add(sum);
}

// Any strides, and a last vector of any width, one term a turn: the last panel of a row, and what is too
// small to be copied. It is one loop, because it stands in every shape of tile.
template <class V, int MR, int NV>
NE_TORCH_INLINE void add_any_terms(const Tiles<V>& tiles, const typename V::T* a, V (&sum)[MR][NV]) {
    const index_t row = tiles.a_in_tiles ? 1 : tiles.a_row_stride;
    const index_t col = tiles.a_in_tiles ? MR : tiles.a_col_stride;
    Terms<V, MR, NV, 0, 0, FirstLanes<V>> terms(tiles, a, row, col, {tiles.last});
#pragma GCC unroll 1
    for (index_t t = tiles.depth; t > 0; --t) terms.add(sum);
}

// So many tiles, the first of them and those below it.
template <class V, int MR, int NV>
void micro_kernel(const Tiles<V>& tiles, index_t count) {
    using T = typename V::T;
    const Edge<V> edge{tiles.last, tiles.last_is_full};
    const index_t c_stride = tiles.args->c.row_stride;
    const T *a = tiles.a, *begun = tiles.begun, *beside = tiles.beside, *fetched = tiles.fetched;
    T* c = tiles.c;
    for (index_t below = tiles.rows_below - MR; count > 0; --count, below -= MR) {
        V sum[MR][NV];
        begin_sums<V, MR, NV>(edge, sum, begun, tiles.begun_stride);
        if (begun) begun += MR * tiles.begun_stride;

        const auto next = [&](index_t stride) NE_TORCH_INLINE_LAMBDA {
            return below > 0 ? MR * stride : tiles.onward.rows * stride + tiles.onward.columns;
        };
        if (fetched) {
            const index_t lead = next(tiles.fetched_stride);
            if (lead != 0) prefetch_tile<V, MR, NV>(fetched + lead, tiles.fetched_stride);
            fetched += MR * tiles.fetched_stride;
        }

        const bool unrolled = MR > 1 && tiles.last_is_full;  // one row has as many loads as multiply-adds
        if (unrolled && tiles.a_in_tiles) {
            add_terms<V, MR, NV, 1, MR>(tiles, a, sum);
        } else if (unrolled && tiles.a_col_stride == 1) {
            add_terms<V, MR, NV, 0, 1>(tiles, a, sum);
        } else {
            add_any_terms<V, MR, NV>(tiles, a, sum);
        }
        a += MR * tiles.a_row_stride;

        if (tiles.store == Store::update) {
            update_tile<V, MR, NV>({tiles.args, c, tiles.column, next(c_stride), tiles.fetched != tiles.c},
                                   sum);
        } else {
            store_sums<V, MR, NV>(tiles, edge, sum, {c, c_stride}, beside);
        }
        beside += MR * tiles.beside_stride;
        c += MR * c_stride;
    }
}

// The most vectors of a tile of so many rows. One row takes eight: each is a chain, and they hide the latency
// of an FMA from each other.
template <class V>
constexpr int widest_tile(index_t rows) {
    return rows == 1 ? 8 : V::max_vectors;
}

// The most rows of a tile of so many vectors: the fewer vectors, the more rows, for the same reason, and for
// fewer loads beside the multiply-adds. With sixteen registers eight for one vector, if that divides them;
// there is no tile of seven. A wheel of 1 MB has room for the tallest in float32 alone.
template <class V>
constexpr int tallest_tile(int vectors, index_t rows) {
    constexpr bool is_float = sizeof(typename V::T) == sizeof(float);
    if (V::max_vectors > 2 && vectors < V::max_vectors) return vectors == 1 && is_float ? 12 : 8;
    return vectors == 1 && rows % 8 == 0 && kSmallTiles<V> ? 8 : V::max_rows;
}

// One for every shape of tile: 1, 2, 4 or 8 vectors, as far as tiles of so many rows are wide.
template <class V>
struct MicroKernels {
    using Kernel = void (*)(const Tiles<V>&, index_t);

    constexpr MicroKernels() { fill<V::max_rows, 8>(); }
    Kernel of(index_t rows, int vectors) const { return kernels[vectors / 2 - vectors / 8][rows - 1]; }

    template <int MR, int NV>
    constexpr void fill() {
        if constexpr (MR <= tallest_tile<V>(NV, MR) && NV <= widest_tile<V>(MR)) {
            kernels[NV / 2 - NV / 8][MR - 1] = micro_kernel<V, MR, NV>;
        }
        if constexpr (MR > 1) {
            fill<MR - 1, NV>();
        } else if constexpr (NV > 1) {
            fill<tallest_tile<V>(NV / 2, 8), NV / 2>();
        }
    }

    Kernel kernels[4][tallest_tile<V>(1, 8)] = {};
};
template <class V>
inline constexpr MicroKernels<V> kMicroKernels;

}  // namespace ne_torch
