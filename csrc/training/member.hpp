// One member's view of a block of samples: what it computes, and when it has to wait.
//
// In phase 1 shares are samples where the block has enough whole vectors for the team, and nobody waits.
// Otherwise the rows of every product are shared, and sync() is a barrier. In phase 2 shares are weights.
//
// A member may also be a team of its own, with a block of its own somewhere in the workspace.
#pragma once

#include "core/kernel_table.hpp"
#include "core/partition.hpp"
#include "core/update_options.hpp"
#include "threading/thread_pool.hpp"

namespace ne_torch {

template <class T>
Matrix<const T> read(Matrix<T> m) {
    return {m.data, m.row_stride, m.col_stride};
}

// Consecutive samples of a batch that go through the network together. A gradient is a chain over the whole
// batch: it is taken up where the block before left it, and ends with the last one.
struct Block {
    index_t begin;  // the first sample's number in the batch
    index_t rows;
    index_t batch_rows;
    bool first() const { return begin == 0; }
    bool last() const { return begin + rows == batch_rows; }
};

template <class T>
class Member {
  public:
    Member(Team& members, const Kernels<T>& table, const Block& samples, T* room,
           const UpdateOptions<T>* update, index_t column = 0)
        : team(members),
          kernels(table),
          block(samples),
          packing(room),
          options(update),
          columns(share_range(samples.rows, table.lanes, members.index, members.count)),
          column_(column) {
        const index_t vectors = (block.rows + kernels.lanes - 1) / kernels.lanes;
        const index_t largest = (vectors + team.count - 1) / team.count;
        by_samples_ = 5 * vectors >= 4 * largest * team.count;
    }

    // The block, of what the workspace has for all samples in it: a feature-major matrix, or a number each.
    template <class U>
    Matrix<U> of_block(Matrix<U> m) const {
        return {of_block(m.data), m.row_stride, 1};
    }
    template <class U>
    U* of_block(U* samples) const {
        return samples ? samples + column_ : nullptr;
    }

    // My samples: how many, and their part of the block, feature-major or batch-major.
    index_t width() const { return columns.end - columns.begin; }
    template <class U>
    Matrix<U> mine(Matrix<U> m) const {
        return {m.at(0, columns.begin), m.row_stride, 1};
    }
    template <class U>
    Matrix<U> my_rows(Matrix<U> m) const {
        return {m.at(columns.begin, 0), m.row_stride, 1};
    }

    // Whether phase 2 ends in an update. Otherwise a stage keeps its gradients, complete with the last block.
    bool updates() const { return block.last() && options; }

    // In phase 1, before others' samples are read.
    void sync() {
        if (!by_samples_) team.barrier();
    }

    // My share of a product of phase 1, whose columns are samples.
    GemmArgs<T> share_samples(const GemmArgs<T>& g) const {
        GemmArgs<T> share = by_samples_ ? gemm_columns(g, columns)
                                        : gemm_rows(g, share_range(g.m, 1, team.index, team.count));
        share.workspace = packing;
        return share;
    }
    // My share of a product of phase 2.
    GemmArgs<T> share_weights(const GemmArgs<T>& g) const {
        GemmArgs<T> share = share_gemm(g, kernels.lanes, team.index, team.count);
        share.workspace = packing;
        return share;
    }
    // My share of n outputs of phase 2.
    Range share(index_t n) const { return share_range(n, kernels.lanes, team.index, team.count); }

    Team& team;
    const Kernels<T>& kernels;
    const Block block;
    T* const packing;
    const UpdateOptions<T>* const options;  // by parameter group; null: gradients are kept, see updates()
    const Range columns;                    // my samples, within the block

  private:
    bool by_samples_;
    const index_t column_;  // of the workspace, where the block begins
};

}  // namespace ne_torch
