// Sums of the squares of rows, shared by the members of a team: of gradients that are clipped, of parameters
// that are penalised.
#pragma once

#include <vector>

#include "core/kernel_table.hpp"
#include "core/partition.hpp"
#include "threading/thread_pool.hpp"
#include "training/learned.hpp"

namespace ne_torch {

// Room for the sums of all rows, one array after the other.
template <class T>
void reserve_square_sums(const std::vector<Gradient<T>>& gradients, std::vector<double>& sums) {
    index_t rows = 0;
    for (const Gradient<T>& gradient : gradients) rows += gradient.rows;
    sums.resize(static_cast<std::size_t>(rows));
}

// One member's part of a matrix whose rows are contiguous: sums[i] = chain over j of m[i, j]^2, in float64.
template <class T>
void square_my_rows(const Team& team, const Kernels<T>& kernels, index_t rows, index_t cols,
                    Matrix<const T> m, double* sums) {
    const Range mine = share_range(rows, 1, team.index, team.count);
    kernels.row_square_sums(mine.end - mine.begin, cols, {m.at(mine.begin, 0), m.row_stride, 1},
                            sums + mine.begin);
}

}  // namespace ne_torch
