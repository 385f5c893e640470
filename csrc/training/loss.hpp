// The loss in a fused step: each member computes its samples' losses and the gradient that backward starts
// from, both feature-major.
#pragma once

#include "functional/losses.hpp"
#include "training/member.hpp"

namespace ne_torch {

// What the outputs of some samples are compared with, batch-major.
template <class T>
struct Targets {
    Matrix<const T> dense;                  // (rows, out_features), rows contiguous; or
    const std::int64_t* indices = nullptr;  // (rows)
    const T* sample_weight = nullptr;       // (rows), or null: all are 1

    // those of the rows from `begin` on
    Targets below(index_t begin) const {
        return {{dense.data ? dense.at(begin, 0) : nullptr, dense.row_stride, dense.col_stride},
                indices ? indices + begin : nullptr,
                sample_weight ? sample_weight + begin : nullptr};
    }
};

// Of a whole block, feature-major.
template <class T>
struct LossRoom {
    Matrix<T> prediction;
    Matrix<T> target;
    Matrix<T> gradient;
    double* loss;
};

// divisor is that of the whole batch, see functional/losses.hpp.
template <class T>
void loss_of_my_samples(const LossSettings& settings, const Member<T>& me, index_t classes,
                        const Targets<T>& targets, double divisor, const LossRoom<T>& room);

}  // namespace ne_torch
