#include "functional/square_sum.hpp"

#include <vector>

#include "dispatch/registry.hpp"

namespace ne_torch {

template <class T>
double add_square_sum(double total, index_t rows, index_t cols, const T* values) {
    std::vector<double> of_row(static_cast<std::size_t>(rows));
    active_kernels<T>().row_square_sums(rows, cols, {values, cols, 1}, of_row.data());
    for (const double sum : of_row) total += sum;
    return total;
}

template double add_square_sum(double, index_t, index_t, const float*);
template double add_square_sum(double, index_t, index_t, const double*);

}  // namespace ne_torch
