// The register tile: C[r, c] = epilogue(chain over t of fma(A[r, t], B[t, c])) for MR rows and NV vectors.
//
// SIMD lanes and accumulators are outputs, never parts of a sum, so every C[r, c] is one chain of fused
// multiply-adds from +0, ascending in t, whatever the tile it fell into. Called by gemm.hpp alone.
#pragma once

#include "core/compiler.hpp"
#include "core/gemm_args.hpp"
#include "kernels/lanes.hpp"
#include "kernels/optimizers.hpp"
#include "kernels/update.hpp"

namespace ne_torch {

template <class V>
struct Tile {
    using T = typename V::T;
    const GemmArgs<T>* args;
    index_t row;  // of C, of its first element
    index_t column;
    bool across;    // the next tile is that to the right, otherwise that below
    index_t depth;  // terms of the chain in this call
    const T* a;     // A[row, t0]
    index_t a_row_stride;
    index_t a_col_stride;
    bool a_in_tiles;  // a copy of this tile alone, [term][row]
    const T* b;       // B[t0, column]
    index_t b_stride;
    typename V::Mask last;  // lanes of the last vector that exist
    bool last_is_full;
    bool first_block;  // start from initial, otherwise take up the partial sums in C
    bool last_block;   // apply the epilogue, otherwise leave the partial sums in C
};

// body(r, v, lanes) for every vector of the tile. The last vector of a row is masked unless it is full, for a
// masked store is slow on some processors.
template <class V, int MR, int NV, class Body>
NE_TORCH_INLINE void for_each_vector(const Tile<V>& tile, Body body) {
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v + 1 < NV; ++v) body(r, v, AllLanes<V>{});
    }
    if (tile.last_is_full) {
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) body(r, NV - 1, AllLanes<V>{});
    } else {
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) body(r, NV - 1, FirstLanes<V>{tile.last});
    }
}

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
    const index_t next = tile.across ? width : rows * g.c.row_stride;
    if (tile.across) {  // otherwise prefetch_tile has done so
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
    const index_t c_stride = g.c.row_stride;
    T* const c = g.c.data + tile.row * c_stride + tile.column;

    if (!tile.last_block) {
        for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
            lanes.store(c + r * c_stride + v * V::lanes, sum[r][v]);
        });
        return;
    }
    switch (g.epilogue) {
        case Epilogue::store:
            for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                lanes.store(c + r * c_stride + v * V::lanes, sum[r][v]);
            });
            break;
        case Epilogue::bias_row:
            for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                const V biased = g.bias ? sum[r][v] + V::broadcast(g.bias[tile.row + r]) : sum[r][v];
                lanes.store(c + r * c_stride + v * V::lanes, activate(g.activation, biased));
            });
            break;
        case Epilogue::bias_column:
            for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                const T* bias = g.bias + tile.column + v * V::lanes;
                const V biased = g.bias ? sum[r][v] + lanes.load(bias) : sum[r][v];
                lanes.store(c + r * c_stride + v * V::lanes, activate(g.activation, biased));
            });
            break;
        case Epilogue::gate: {
            const T* gate = g.gate.data + tile.row * g.gate.row_stride + tile.column;
            for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                const V open = lanes.load(gate + r * g.gate.row_stride + v * V::lanes);
                lanes.store(c + r * c_stride + v * V::lanes, V::zero_where_not_positive(open, sum[r][v]));
            });
            break;
        }
        case Epilogue::update:
            if (SgdStep<V>::plain(*g.update)) {
                const SgdStep<V> sgd(*g.update);
                // All loads before all stores: a masked store stalls loads of the line it is in.
                for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                    sum[r][v] = sgd.descend(lanes.load(c + r * c_stride + v * V::lanes), sum[r][v]);
                });
                for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
                    lanes.store(c + r * c_stride + v * V::lanes, sum[r][v]);
                });
            } else {
                update_tile<V, MR, NV>(tile, sum);
            }
            break;
    }
}

// The lines of a tile of `matrix` whose rows begin with `row`.
template <class V, int MR, int NV>
NE_TORCH_INLINE void prefetch_tile(const Tile<V>& tile, Matrix<const typename V::T> matrix, index_t row) {
    constexpr int line = 64 / static_cast<int>(sizeof(typename V::T));
    const typename V::T* const first = matrix.at(row, tile.column);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
        for (int i = 0; i < NV * V::lanes; i += line) {
            NE_TORCH_PREFETCH_WRITE(first + r * matrix.row_stride + i);
        }
    }
}

// How a tile's terms of A are reached: from one pointer in four rows, so that pointers and offsets fit the
// integer registers. A stride that is given, and not 0, becomes part of addresses.
template <class V, int MR, int NV, index_t RowStride, index_t ColStride, class Last>
struct Terms {
    using T = typename V::T;
    static constexpr int groups = (MR + 3) / 4;

    NE_TORCH_INLINE Terms(const Tile<V>& tile, index_t row, index_t col, Last which)
        : row_stride(RowStride > 0 ? RowStride : row),
          col_stride(ColStride > 0 ? ColStride : col),
          b_stride(tile.b_stride),
          b(tile.b),
          last(which) {
#pragma GCC unroll 4
        for (int i = 0; i < groups; ++i) a[i] = tile.a + index_t{4} * i * row_stride;
    }

    // sum[r][v] takes up the next term.
    NE_TORCH_INLINE void add(V (&sum)[MR][NV]) {
        V bt[NV];
#pragma GCC unroll 4
        for (int v = 0; v + 1 < NV; ++v) bt[v] = V::load(b + v * V::lanes);
        bt[NV - 1] = last.load(b + (NV - 1) * V::lanes);
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            const V ar = V::broadcast(a[r / 4][(r % 4) * row_stride]);
#pragma GCC unroll 4
            for (int v = 0; v < NV; ++v) sum[r][v] = V::fma(ar, bt[v], sum[r][v]);
        }
#pragma GCC unroll 4
        for (int i = 0; i < groups; ++i) a[i] += col_stride;
        b += b_stride;
    }

    const T* a[groups];
    const index_t row_stride, col_stride, b_stride;
    const T* b;
    const Last last;
};

// Four terms a turn: that leaves two instructions each beside FMA, loads and broadcasts, so that the front
// end runs ahead into the next tile.
template <class V, int MR, int NV, index_t RowStride, index_t ColStride>
NE_TORCH_INLINE void add_terms(const Tile<V>& tile, V (&sum)[MR][NV]) {
    Terms<V, MR, NV, RowStride, ColStride, AllLanes<V>> terms(tile, tile.a_row_stride, 1, {});
#pragma GCC unroll 4
    for (index_t t = tile.depth; t > 0; --t) terms.add(sum);
}

// Any strides, and a last vector of any width, one term a turn: the last panel of a row, and what is too
// small to be copied. It is one loop, because it stands in every shape of tile.
template <class V, int MR, int NV>
NE_TORCH_INLINE void add_any_terms(const Tile<V>& tile, V (&sum)[MR][NV]) {
    const index_t row = tile.a_in_tiles ? 1 : tile.a_row_stride;
    const index_t col = tile.a_in_tiles ? MR : tile.a_col_stride;
    Terms<V, MR, NV, 0, 0, FirstLanes<V>> terms(tile, row, col, {tile.last});
#pragma GCC unroll 1
    for (index_t t = tile.depth; t > 0; --t) terms.add(sum);
}

template <class V, int MR, int NV>
NE_TORCH_INLINE void run_tile(const Tile<V>& tile) {
    using T = typename V::T;
    const GemmArgs<T>& g = *tile.args;
    V sum[MR][NV];
    const Matrix<const T> c{g.c.data, g.c.row_stride, 1};
    const Matrix<const T> from = tile.first_block ? g.initial : c;
    if (!from.data) {
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
            for (int v = 0; v < NV; ++v) sum[r][v] = V::broadcast(0);
        }
    } else {
        const T* begun = from.data + tile.row * from.row_stride + tile.column;
        for_each_vector<V, MR, NV>(tile, [&](int r, int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
            sum[r][v] = lanes.load(begun + r * from.row_stride + v * V::lanes);
        });
    }

    // The next tile's parameters, if they are updated, and its partial sums may have left the cache since the
    // last step or block. A tile of few terms does not take as long as memory does. States are fetched by the
    // update, whose square roots and divisions leave time for it; here they would hold up the terms.
    if (g.epilogue == Epilogue::update && !tile.across) prefetch_tile<V, MR, NV>(tile, c, tile.row + MR);
    if (from.data) prefetch_tile<V, MR, NV>(tile, from, tile.row + MR);

    if (tile.last_is_full && tile.a_in_tiles) {
        add_terms<V, MR, NV, 1, MR>(tile, sum);
    } else if (tile.last_is_full && tile.a_col_stride == 1) {
        add_terms<V, MR, NV, 0, 1>(tile, sum);
    } else {
        add_any_terms<V, MR, NV>(tile, sum);
    }
    store_tile<V, MR, NV>(tile, sum);
}

// So many tiles, one below the other, the first of them at `tile`, which moves along; a_step leads from a
// tile of A to the next. There is one description for all tiles of a block: a copy of what was just written,
// in pieces, would wait for it.
template <class V, int MR, int NV>
void micro_kernel(Tile<V>& tile, index_t tiles, index_t a_step) {
    for (; tiles > 0; --tiles) {
        run_tile<V, MR, NV>(tile);
        tile.row += MR;
        tile.a += a_step;
    }
}

}  // namespace ne_torch
