// One member's view of a block of samples: what it computes, and when it has to wait.
//
// In phase 1 shares are samples, of which nobody waits for another's, or features: rows of a product, which
// reads what others computed and is read by them. In phase 2 shares are weights.
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

// Of what a member takes its share in a pass of phase 1.
enum class Share { samples, features };

template <class T>
class Member {
  public:
    Member(Team& members, const Kernels<T>& table, const Block& samples, T* room,
           const UpdateOptions<T>* update, index_t column = 0)
        : team(members),
          kernels(table),
          block(samples),
          options(update),
          columns(share_range(samples.rows, table.lanes, members.index, members.count)),
          packing_(room),
          column_(column) {
        const index_t vectors = (block.rows + kernels.lanes - 1) / kernels.lanes;
        const index_t largest = (vectors + team.count - 1) / team.count;
        enough_samples_ = 5 * vectors >= 4 * largest * team.count;
    }

    // The block, of what the workspace has for all samples in it: a (features, samples) matrix, or a number
    // each.
    template <class U>
    Matrix<U> of_block(Matrix<U> m) const {
        return {m.data ? m.at(0, column_) : nullptr, m.row_stride, m.col_stride};
    }
    template <class U>
    U* of_block(U* samples) const {
        return samples ? samples + column_ : nullptr;
    }

    // My samples: how many, and their part of a (features, samples) or (samples, features) matrix.
    index_t width() const { return columns.end - columns.begin; }
    template <class U>
    Matrix<U> mine(Matrix<U> m) const {
        return {m.at(0, columns.begin), m.row_stride, m.col_stride};
    }
    template <class U>
    Matrix<U> my_rows(Matrix<U> m) const {
        return turned(mine(turned(m)));
    }

    // Whether phase 2 ends in an update. Otherwise a stage keeps its gradients, complete with the last block.
    bool updates() const { return block.last() && options; }

    // Before a pass of phase 1: waits where it reads what others have computed, or they may.
    void begin(Share share) {
        if (share == Share::features || share_ == Share::features) team.barrier();
        share_ = share;
    }

    // Of what products take their share, which costs that much. Samples that do not fill the same vectors for
    // every member are not shared.
    Share cheaper(index_t samples, index_t features) const {
        return enough_samples_ && (team.count == 1 || samples <= features) ? Share::samples : Share::features;
    }

    // My part of a product in the pass that has begun, whose rows are samples or features, and whose columns
    // are the others.
    GemmArgs<T> my_part(const GemmArgs<T>& g, Share rows) const {
        const bool by_rows = share_ == rows;
        Range mine = columns;
        if (share_ == Share::features) {
            mine = share_range(by_rows ? g.m : g.n, by_rows ? 1 : kernels.lanes, team.index, team.count);
        }
        return by_rows ? gemm_rows(g, mine) : gemm_columns(g, mine);
    }
    void multiply(GemmArgs<T> g) const {
        g.workspace = packing_;
        kernels.gemm(g);
    }
    // Computes my share of a product of phase 2, by columns where that leaves a quarter more to the busiest
    // and they are features of the block: mostly those that I have computed.
    //
    // Processors that see equal steps from tile to tile fetch a few tiles ahead, beyond the last row of a
    // share: weights that the next member works on and has to take back. So rows are gone through away from a
    // neighbour's, from both ends to the middle where there are two, where they can be: see gemm_upwards.
    void multiply_weights(const GemmArgs<T>& g, bool columns_are_features) const {
        const double favour = columns_are_features ? 1.25 : 1;
        const GemmArgs<T> share = share_gemm(g, kernels.lanes, team.index, team.count, favour);
        if (share.m == g.m || g.a.col_stride != 1) return multiply(share);
        index_t down = share.m;
        if (team.index + 1 < team.count) down = team.index > 0 ? share.m / 2 : 0;
        multiply(gemm_upwards(gemm_rows(share, {down, share.m})));
        multiply(gemm_rows(share, {0, down}));
    }
    // My share of n outputs of phase 2.
    Range share(index_t n) const { return share_range(n, kernels.lanes, team.index, team.count); }

    Team& team;
    const Kernels<T>& kernels;
    const Block block;
    const UpdateOptions<T>* const options;  // by parameter group; null: gradients are kept, see updates()
    const Range columns;                    // my samples, within the block

  private:
    bool enough_samples_;           // for as many whole vectors for everybody
    Share share_ = Share::samples;  // of the pass in progress
    T* const packing_;
    const index_t column_;  // of the workspace, where the block begins
};

}  // namespace ne_torch
