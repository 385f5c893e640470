// Register tiles of C, one below the other: where they lie, and what they read. See micro_kernel.hpp, which
// computes them.
#pragma once

#include "core/compiler.hpp"
#include "core/gemm_args.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

// What becomes of the sums of a tile: an epilogue, of which the plainest update is a kind of its own, or none
// yet, where the chains go on in the next block of terms.
enum class Store { sums, bias_row, bias_column, gate, descent, update };

// From the last tile of a column to the one that comes next; zeros where what lies there is another thread's,
// and fetching it would take it away.
struct Onward {
    index_t rows;
    index_t columns;
};

// Pointers are to what belongs to the first tile; the micro-kernel moves copies of them down.
template <class V>
struct Tiles {
    using T = typename V::T;
    const GemmArgs<T>* args;
    Store store;
    bool rectified;  // by ReLU, after a bias

    index_t depth;  // terms of the chain in this call
    const T* a;
    index_t a_row_stride;
    index_t a_col_stride;
    bool a_in_tiles;  // copies, [tile][term][row of the tile], as far apart as rows at a_row_stride would be
    const T* b;       // B[t0, column]
    index_t b_stride;
    typename V::Mask last;  // lanes of the last vector that exist
    bool last_is_full;

    index_t column;
    T* c;
    const T* begun;  // sums to be taken up, which lie as C does; null: +0
    index_t begun_stride;
    const T* beside;  // what the store reads, of the gate or of the bias
    index_t beside_stride;

    const T* fetched;  // what a tile should find in the cache; null: nothing
    index_t fetched_stride;
    index_t rows_below;  // of the block of rows, the first tile's included
    Onward onward;
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

// Where the columns of a tile end. body(r, v, lanes) for every vector: the last of a row is masked unless it
// is full, for a masked store is slow on some processors.
template <class V>
struct Edge {
    typename V::Mask last;
    bool full;

    template <int MR, int NV, class Body>
    NE_TORCH_INLINE void for_each_vector(Body body) const {
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 8
            for (int v = 0; v + 1 < NV; ++v) body(r, v, AllLanes<V>{});
        }
        if (full) {
#pragma GCC unroll 16
            for (int r = 0; r < MR; ++r) body(r, NV - 1, AllLanes<V>{});
        } else {
#pragma GCC unroll 16
            for (int r = 0; r < MR; ++r) body(r, NV - 1, FirstLanes<V>{last});
        }
    }
};

}  // namespace ne_torch
