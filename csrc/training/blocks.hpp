// How many samples go through a network together.
#pragma once

#include <algorithm>

#include "core/kernel_table.hpp"
#include "core/partition.hpp"
#include "training/plan.hpp"

namespace ne_torch {

// What a member's samples of a block may occupy: half of a second-level cache of 512 KiB. A block has no
// fewer samples than pay for taking up the gradients of all weights once more, two memory accesses a weight.
constexpr index_t kBlockBytes = 262144;
constexpr index_t kFewestRows = 256;

// Samples of a block: even shares of the batch, in whole tiles for every member.
template <class T>
index_t rows_of_block(const Plan<T>& plan, const Kernels<T>& kernels, index_t rows, int threads) {
    const index_t bytes = plan.room_per_row() * static_cast<index_t>(sizeof(T));
    const index_t most = std::max(kFewestRows, kBlockBytes / bytes * threads);
    if (rows <= 2 * most || plan.mixes_samples()) return rows;
    const index_t blocks = (rows + most - 1) / most;
    return round_up((rows + blocks - 1) / blocks, index_t{kernels.tile_cols} * threads);
}

}  // namespace ne_torch
