// A product with one vector, or a few:
//
//   result[v, i] = (chain over k ascending of matrix[i, k] * vectors[v, k], from +0) + bias
//
// bias is bias[i], bias[v], or 0 where there is none. All are contiguous along their last axis.
#pragma once

#include "core/views.hpp"

namespace ne_torch {

template <class T>
struct MatvecArgs {
    index_t rows = 0;  // of the matrix
    index_t cols = 0;
    index_t count = 1;  // of vectors, at most Kernels<T>::few_vectors
    Matrix<const T> matrix;
    Matrix<const T> vectors;
    const T* bias = nullptr;
    bool bias_of_row = false;  // bias[i], not bias[v]
    Matrix<T> result;
};

}  // namespace ne_torch
