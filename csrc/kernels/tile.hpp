// A register tile of C: where it lies, and what it reads. See micro_kernel.hpp, which computes it.
#pragma once

#include "core/compiler.hpp"
#include "core/gemm_args.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
struct Tile {
    using T = typename V::T;
    const GemmArgs<T>* args;
    index_t row;  // of C, of its first element
    index_t column;
    bool across;           // the next tile is that to the right, otherwise that below
    index_t depth;         // terms of the chain in this call
    const T* a;            // A[row, t0]
    index_t a_row_stride;  // also from where a tile of A begins to the next, in rows of it
    index_t a_col_stride;
    bool a_in_tiles;  // a copy of this tile alone, [term][row]
    const T* b;       // B[t0, column]
    index_t b_stride;
    typename V::Mask last;  // lanes of the last vector that exist
    bool last_is_full;
    bool first_block;   // start from initial, otherwise take up the partial sums in C
    bool last_block;    // apply the epilogue, otherwise leave the partial sums in C
    index_t row_begin;  // of the block of rows
    index_t row_end;

    // Leads in C, or what lies as C does, from a tile that is so high and wide to the next one. 0 where there
    // is none: what lies there is another thread's, and fetching it would take it away.
    index_t to_next(index_t rows, index_t width, index_t stride) const {
        if (across) {
            if (column + width < args->n) return width;
            return row_end < args->m ? rows * stride - column : 0;
        }
        if (row + rows < row_end) return rows * stride;
        return column + width < args->n ? width - (row - row_begin) * stride : 0;
    }
};

// The rows of a tile, reached from one pointer in four, so that pointers and offsets fit the integer
// registers. A stride that is given, and not 0, becomes part of addresses.
template <class T, int MR, index_t Stride = 0>
struct Rows {
    static constexpr int groups = (MR + 3) / 4;

    NE_TORCH_INLINE Rows(T* first, index_t to_next) : stride(Stride > 0 ? Stride : to_next) {
#pragma GCC unroll 4
        for (int i = 0; i < groups; ++i) group[i] = first + index_t{4} * i * stride;
    }
    NE_TORCH_INLINE T* at(int r) const { return group[r / 4] + (r % 4) * stride; }
    NE_TORCH_INLINE void move(index_t elements) {
#pragma GCC unroll 4
        for (int i = 0; i < groups; ++i) group[i] += elements;
    }

    T* group[groups];
    const index_t stride;
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

}  // namespace ne_torch
