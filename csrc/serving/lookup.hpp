// Rows of numbers and categories, the first stage of a frozen network: of each row the numbers as they are,
// then for each category the row of its table.
//
//   output[b, i]         = x[b, numbers[i]]    the columns that are no categories, ascending
//   output[b, first + d] = table[code, d]      code = x[b, column]
//
// Called by the predictor, which has all codes of a call checked before anything is written. Arrays are
// borrowed.
#pragma once

#include <optional>
#include <vector>

#include "core/views.hpp"
#include "functional/codes.hpp"

namespace ne_torch {

template <class T>
struct FrozenTable {
    index_t column;  // of x
    index_t rows;
    index_t dim;
    const T* data;  // (rows, dim)
};

template <class T>
class Lookup {
  public:
    Lookup() = default;
    // Tables ascend by column; std::invalid_argument otherwise.
    Lookup(index_t in_features, std::vector<FrozenTable<T>> tables);

    index_t out_features() const { return out_features_; }
    bool takes_codes() const { return !tables_.empty(); }

    // x is contiguous here: whether all codes are, and the first that is none, by column, then by row.
    bool knows(index_t rows, const T* x) const;
    std::optional<WrongCode<T>> wrong_code(index_t rows, const T* x) const;

    void forward(index_t rows, Matrix<const T> x, Matrix<T> output) const;

  private:
    index_t in_features_ = 0;
    index_t out_features_ = 0;
    std::vector<FrozenTable<T>> tables_;
};

}  // namespace ne_torch
