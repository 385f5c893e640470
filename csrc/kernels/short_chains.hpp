// C = epilogue(A B) where chains are short: a panel of B, all its terms, stays in registers, and the rows of
// C are computed one after the other.
//
// A register tile takes some 40 cycles beside its multiply-adds, which chains of few terms do not hide. A row
// here is its broadcasts, multiply-adds and stores (Zen 3: 32 x 250 sums of 2 or 4 terms in 0.7 of the time,
// updates of 128 x 784 weights in 0.7 to 0.85). Called by gemm.hpp alone.
#pragma once

#include "core/compiler.hpp"
#include "core/gemm_args.hpp"
#include "kernels/lanes.hpp"
#include "kernels/micro_kernel.hpp"
#include "kernels/store_tile.hpp"
#include "kernels/tile.hpp"

namespace ne_torch {

// Where a store reads C, some of the rows below are fetched: C may be a parameter from beyond the cache.
template <class V, int Terms, int NV>
void short_chains(const Tiles<V>& tiles, index_t count) {
    using T = typename V::T;
    constexpr index_t ahead = 8;
    const Edge<V> edge{tiles.last, tiles.last_is_full};
    V b[Terms][NV];
    edge.template for_each_vector<Terms, NV>([&](int t, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
        b[t][v] = lanes.load(tiles.b + t * tiles.b_stride + v * V::lanes);
    });
    const index_t row = tiles.a_row_stride, col = tiles.a_col_stride, c_stride = tiles.args->c.row_stride;
    with_store(tiles.store, [&](auto kind) NE_TORCH_INLINE_LAMBDA {
        const T *a = tiles.a, *beside = tiles.beside;
        T* c = tiles.c;
        for (index_t i = 0; i < count; ++i) {
            if (tiles.fetched && tiles.rows_below - i > ahead) {
                prefetch_tile<V, 1, NV>(c + ahead * c_stride, c_stride);
            }
            V sum[1][NV];
#pragma GCC unroll 8
            for (int v = 0; v < NV; ++v) sum[0][v] = V::broadcast(0);
#pragma GCC unroll 16
            for (int t = 0; t < Terms; ++t) {
                const V at = V::broadcast(a[t * col]);
#pragma GCC unroll 8
                for (int v = 0; v < NV; ++v) sum[0][v] = V::fma(at, b[t][v], sum[0][v]);
            }
            const Rows<T, 1> to(c, c_stride);
            finish_sums<decltype(kind)::store, V, 1, NV>(tiles, edge, sum, to, beside);
            store_finished<V, 1, NV>(tiles.rectified, edge, sum, to);
            a += row;
            beside += tiles.beside_stride;
            c += c_stride;
        }
    });
}

// One for every number of terms, for panels of two vectors, and of four where a tile has as many; null for
// any other panel.
template <class V, int Terms = kShortChain<V>>
inline typename MicroKernels<V>::Kernel short_kernel(index_t terms, int vectors) {
    if constexpr (Terms > 0) {
        if (terms != Terms) return short_kernel<V, Terms - 1>(terms, vectors);
        if (vectors == V::max_vectors) return short_chains<V, Terms, V::max_vectors>;
        if (vectors == 2) return short_chains<V, Terms, 2>;
    }
    return nullptr;
}

}  // namespace ne_torch
