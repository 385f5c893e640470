// What happens to the sums of a register tile on their way to memory; see Epilogue in core/gemm_args.hpp.
#pragma once

#include "core/compiler.hpp"
#include "core/gemm_args.hpp"
#include "kernels/lanes.hpp"
#include "kernels/optimizers.hpp"
#include "kernels/tile.hpp"
#include "kernels/update.hpp"

namespace ne_torch {

// What an update has to know of a tile.
template <class T>
struct Updated {
    const GemmArgs<T>* args;
    T* c;
    index_t column;
    index_t next;    // leads to the tile that comes next, or is 0
    bool unfetched;  // the parameters there; otherwise prefetch_tile has done so
};

// Any optimizer but the plainest: the sums go through the first-level cache, so that there is one copy of its
// arithmetic, and of all that is around it, and not one in every shape of tile. `grad`: rows of `width` sums.
template <class V>
NE_TORCH_NOINLINE void update_parameters(const Updated<typename V::T>& tile, index_t rows, index_t width,
                                         const typename V::T* grad) {
    using T = typename V::T;
    const GemmArgs<T>& g = *tile.args;
    const index_t columns = g.n - tile.column < width ? g.n - tile.column : width;
    if (tile.unfetched && tile.next != 0) {
        constexpr index_t line = 64 / static_cast<index_t>(sizeof(T));
        for (index_t i = 0; i < rows; ++i) {
            const T* const row = tile.c + tile.next + i * g.c.row_stride;
            for (index_t j = 0; j < width; j += line) NE_TORCH_PREFETCH_WRITE(row + j);
        }
    }
    update_block<V>(*g.update, rows, columns, {grad, width, 1}, {g.c.data, g.c.row_stride, 1}, g.state,
                    tile.c - g.c.data, tile.next);
}

template <class V, int MR, int NV>
NE_TORCH_INLINE void update_tile(const Updated<typename V::T>& tile, V (&sum)[MR][NV]) {
    alignas(64) typename V::T grad[MR * NV * V::lanes];
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) sum[r][v].store(grad + (r * NV + v) * V::lanes);
    }
    update_parameters<V>(tile, MR, NV * V::lanes, grad);
}

// Any other store, of the tile at `c`: what it makes of the sums, with what it reads `beside` them.
template <Store store, class V, int MR, int NV>
NE_TORCH_INLINE void finish_sums(const Tiles<V>& tiles, const Edge<V>& edge, V (&sum)[MR][NV],
                                 const Rows<typename V::T, MR>& c, const typename V::T* beside) {
    using T = typename V::T;
    const auto each = [&](auto body) NE_TORCH_INLINE_LAMBDA { edge.template for_each_vector<MR, NV>(body); };
    if constexpr (store == Store::bias_row) {
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            const V bias = V::broadcast(beside[r]);
#pragma GCC unroll 8
            for (int v = 0; v < NV; ++v) sum[r][v] = sum[r][v] + bias;
        }
    } else if constexpr (store == Store::bias_column) {
        each([&](int r, int v, auto lanes)
                 NE_TORCH_INLINE_LAMBDA { sum[r][v] = sum[r][v] + lanes.load(beside + v * V::lanes); });
    } else if constexpr (store == Store::gate) {
        const Rows<const T, MR> gate(beside, tiles.args->gate.row_stride);
        each([&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
            sum[r][v] = V::zero_where_not_positive(lanes.load(gate.at(r) + v * V::lanes), sum[r][v]);
        });
    } else if constexpr (store == Store::descent) {
        // All loads before all stores: a masked store stalls loads of the line it is in.
        const SgdStep<V> sgd(*tiles.args->update);
        each([&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
            sum[r][v] = sgd.descend(lanes.load(c.at(r) + v * V::lanes), sum[r][v]);
        });
    }
}

// The sums on their way to memory.
template <class V, int MR, int NV>
NE_TORCH_INLINE void store_finished(bool rectified, const Edge<V>& edge, V (&sum)[MR][NV],
                                    const Rows<typename V::T, MR>& c) {
    if (rectified) {
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 8
            for (int v = 0; v < NV; ++v) sum[r][v] = V::max(V::broadcast(0), sum[r][v]);
        }
    }
    edge.template for_each_vector<MR, NV>([&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
        lanes.store(c.at(r) + v * V::lanes, sum[r][v]);
    });
}

template <Store kind>
struct StoreOf {
    static constexpr Store store = kind;
};

// body(StoreOf<store>{}), for all but the update of its own.
template <class Body>
NE_TORCH_INLINE void with_store(Store store, Body body) {
    switch (store) {
        case Store::bias_row:
            return body(StoreOf<Store::bias_row>{});
        case Store::bias_column:
            return body(StoreOf<Store::bias_column>{});
        case Store::gate:
            return body(StoreOf<Store::gate>{});
        case Store::descent:
            return body(StoreOf<Store::descent>{});
        default:
            return body(StoreOf<Store::sums>{});
    }
}

template <class V, int MR, int NV>
NE_TORCH_INLINE void store_sums(const Tiles<V>& tiles, const Edge<V>& edge, V (&sum)[MR][NV],
                                const Rows<typename V::T, MR>& c, const typename V::T* beside) {
    with_store(tiles.store, [&](auto kind) NE_TORCH_INLINE_LAMBDA {
        finish_sums<decltype(kind)::store, V, MR, NV>(tiles, edge, sum, c, beside);
    });
    store_finished<V, MR, NV>(tiles.rectified, edge, sum, c);
}

}  // namespace ne_torch
