// Views of memory that somebody else owns.
//
//   Matrix<T>: element (i, j) is data[i * row_stride + j * col_stride]; strides count elements.
//
// Everything below the bindings speaks in these views, so that a transposed operand is a matter of two
// strides and no kernel needs to know whose array it reads.
#pragma once

#include <cstdint>

#include "core/compiler.hpp"

namespace ne_torch {

using index_t = std::int64_t;

template <class T>
struct Matrix {
    T* data = nullptr;
    index_t row_stride = 0;
    index_t col_stride = 1;

    NE_TORCH_INLINE T* at(index_t i, index_t j) const { return data + i * row_stride + j * col_stride; }
};

// The same elements, (j, i) where they were (i, j).
template <class T>
inline Matrix<T> turned(Matrix<T> m) {
    return {m.data, m.col_stride, m.row_stride};
}

}  // namespace ne_torch
