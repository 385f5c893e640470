// Element-wise activations, forward with its backward right below.
//
//   ReLU   y = 0 > x ? 0 : x            a NaN stays NaN
//          g = y <= 0 ? 0 : grad        the mask is y > 0, so the gradient at 0 is 0; NaN lets it through
//          (torch)
#pragma once

#include "core/views.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
void relu_forward(index_t rows, index_t cols, Matrix<const typename V::T> input,
                  Matrix<typename V::T> output) {
    for_each_chunk<V>(rows, cols, [&](index_t i, index_t j, auto lanes) {
        lanes.store(output.at(i, j), V::max(V::broadcast(0), lanes.load(input.at(i, j))));
    });
}

template <class V>
void relu_backward(index_t rows, index_t cols, Matrix<const typename V::T> grad_output,
                   Matrix<const typename V::T> gate, Matrix<typename V::T> grad_input) {
    for_each_chunk<V>(rows, cols, [&](index_t i, index_t j, auto lanes) {
        lanes.store(grad_input.at(i, j),
                    V::zero_where_not_positive(lanes.load(gate.at(i, j)), lanes.load(grad_output.at(i, j))));
    });
}

}  // namespace ne_torch
