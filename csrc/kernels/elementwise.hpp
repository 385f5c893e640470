// What needs nothing but the element itself and, where there is one, its column: sums of two matrices, and
// BatchNorm in eval mode, which is a scale and a shift of each feature.
#pragma once

#include "core/views.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

// output = a + b; in place is fine
template <class V>
void add(index_t rows, index_t cols, Matrix<const typename V::T> a, Matrix<const typename V::T> b,
         Matrix<typename V::T> output) {
    for_each_chunk<V>(rows, cols, [&](index_t i, index_t j, auto lanes) {
        lanes.store(output.at(i, j), lanes.load(a.at(i, j)) + lanes.load(b.at(i, j)));
    });
}

// output[i, j] = fma(input[i, j], scale[j], shift[j]); input[i, j] * scale[j] without a shift
template <class V>
void scale_shift(index_t rows, index_t cols, Matrix<const typename V::T> input, const typename V::T* scale,
                 const typename V::T* shift, Matrix<typename V::T> output) {
    for_each_chunk<V>(rows, cols, [&](index_t i, index_t j, auto lanes) {
        const V x = lanes.load(input.at(i, j));
        const V s = lanes.load(scale + j);
        lanes.store(output.at(i, j), shift ? V::fma(x, s, lanes.load(shift + j)) : x * s);
    });
}

}  // namespace ne_torch
