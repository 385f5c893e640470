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
    // Terms of a block. A panel of B, KC x NR, is 128 KiB and streams from the second-level cache at 11 bytes a
    // cycle, below what that delivers; 256, 512 and 1024 terms measure alike, the longest has the fewest detours
    // of partial sums through C.
    static constexpr index_t kc = 1024;
    // Rows of a block of A, `depth` terms each: 512 KiB, half of a second-level cache of 1 MiB.
    static constexpr index_t rows_of_a(index_t depth) {
        const index_t rows = 524288 / static_cast<index_t>(sizeof(typename V::T)) / (depth > 0 ? depth : 1);
        return rows < mr ? mr : rows / mr * mr;
    }
};

// Terms of one block: all of them, or an even share of at most KC. An update consumes the finished sum and
// C holds the parameter, so its chain is never interrupted.
template <class V>
inline index_t block_depth(const GemmArgs<typename V::T>& g) {
    if (g.epilogue == Epilogue::sgd || g.k <= Blocking<V>::kc) return g.k;
    return ceil_div(g.k, ceil_div(g.k, Blocking<V>::kc));
}

}  // namespace ne_torch
