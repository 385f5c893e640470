// What happens to the sums of a register tile on their way to memory; see Epilogue in core/gemm_args.hpp.
#pragma once

#include "core/compiler.hpp"
#include "core/gemm_args.hpp"
#include "kernels/lanes.hpp"
#include "kernels/optimizers.hpp"
#include "kernels/tile.hpp"
#include "kernels/update.hpp"

namespace ne_torch {

// ReLU costs one instruction in the store; an activation that costs more is a pass of its own.
template <class V>
inline V activate(Activation activation, V x) {
    return activation == Activation::relu ? V::max(V::broadcast(0), x) : x;
}

// Any optimizer but the plainest: the sums go through the first-level cache, so that there is one copy of its
// arithmetic, and of all that is around it, and not one in every shape of tile. `grad`: rows of `width` sums.
template <class V>
NE_TORCH_NOINLINE void update_parameters(const Tile<V>& tile, index_t rows, index_t width,
                                         const typename V::T* grad) {
    using T = typename V::T;
    const GemmArgs<T>& g = *tile.args;
    const index_t first = tile.row * g.c.row_stride + tile.column;
    const index_t columns = g.n - tile.column < width ? g.n - tile.column : width;
    const index_t next = tile.to_next(rows, width, g.c.row_stride);
    if (tile.across && next != 0) {  // otherwise prefetch_tile has done so
        constexpr index_t line = 64 / static_cast<index_t>(sizeof(T));
        for (index_t i = 0; i < rows; ++i) {
            const T* const row = g.c.data + first + next + i * g.c.row_stride;
            for (index_t j = 0; j < width; j += line) NE_TORCH_PREFETCH_WRITE(row + j);
        }
    }
    update_block<V>(*g.update, rows, columns, {grad, width, 1}, {g.c.data, g.c.row_stride, 1}, g.state, first,
                    next);
}

template <class V, int MR, int NV>
NE_TORCH_INLINE void update_tile(const Tile<V>& tile, V (&sum)[MR][NV]) {
    alignas(64) typename V::T grad[MR * NV * V::lanes];
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) sum[r][v].store(grad + (r * NV + v) * V::lanes);
    }
    update_parameters<V>(tile, MR, NV * V::lanes, grad);
}

template <class V, int MR, int NV>
NE_TORCH_INLINE void store_tile(const Tile<V>& tile, V (&sum)[MR][NV]) {
    using T = typename V::T;
    const GemmArgs<T>& g = *tile.args;
    const Rows<T, MR> c(g.c.at(tile.row, tile.column), g.c.row_stride);

    if (!tile.last_block) {
        for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
            lanes.store(c.at(r) + v * V::lanes, sum[r][v]);
        });
        return;
    }
    switch (g.epilogue) {
        case Epilogue::store:
            for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                lanes.store(c.at(r) + v * V::lanes, sum[r][v]);
            });
            break;
        case Epilogue::bias_row:
            for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                const V biased = g.bias ? sum[r][v] + V::broadcast(g.bias[tile.row + r]) : sum[r][v];
                lanes.store(c.at(r) + v * V::lanes, activate(g.activation, biased));
            });
            break;
        case Epilogue::bias_column:
            for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                const T* bias = g.bias + tile.column + v * V::lanes;
                const V biased = g.bias ? sum[r][v] + lanes.load(bias) : sum[r][v];
                lanes.store(c.at(r) + v * V::lanes, activate(g.activation, biased));
            });
            break;
        case Epilogue::gate: {
            const Rows<const T, MR> gate(g.gate.at(tile.row, tile.column), g.gate.row_stride);
            for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                const V open = lanes.load(gate.at(r) + v * V::lanes);
                lanes.store(c.at(r) + v * V::lanes, V::zero_where_not_positive(open, sum[r][v]));
            });
            break;
        }
        case Epilogue::update:
            if (SgdStep<V>::plain(*g.update)) {
                const SgdStep<V> sgd(*g.update);
                // All loads before all stores: a masked store stalls loads of the line it is in.
                for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                    sum[r][v] = sgd.descend(lanes.load(c.at(r) + v * V::lanes), sum[r][v]);
                });
                for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                    lanes.store(c.at(r) + v * V::lanes, sum[r][v]);
                });
            } else {
                update_tile<V, MR, NV>(tile, sum);
            }
            break;
    }
}

}  // namespace ne_torch
