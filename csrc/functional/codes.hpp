// Categories come as numbers among the features of a sample: which numbers are codes, the rows of a table.
//
//   row_of(value, rows) = value, for the integers from 0 to rows - 1; -1 for every other number
//
// Called by the stages that look rows up, in training and in serving.
#pragma once

#include <optional>

#include "core/views.hpp"

namespace ne_torch {

// A number that is no code, where its column holds codes from 0 to last.
template <class T>
struct WrongCode {
    index_t column;
    index_t last;
    T value;
};

// The comparisons before the conversion keep it defined; a NaN fails the first.
template <class T>
index_t row_of(T value, index_t rows) {
    if (!(value >= 0 && value <= static_cast<T>(rows))) return -1;
    const auto row = static_cast<index_t>(value);
    return static_cast<T>(row) == value && row < rows ? row : -1;
}

// The first that is no code among the numbers of a column, which lie `stride` apart.
template <class T>
std::optional<WrongCode<T>> first_wrong_code(index_t column, index_t rows, index_t count, const T* values,
                                             index_t stride) {
    for (index_t b = 0; b < count; ++b) {
        const T value = values[b * stride];
        if (row_of(value, rows) < 0) return WrongCode<T>{column, rows - 1, value};
    }
    return std::nullopt;
}

}  // namespace ne_torch
