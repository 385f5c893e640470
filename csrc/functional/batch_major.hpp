// Softmax on batch-major (rows, cols) arrays. Called by the bindings.
#pragma once

#include "core/views.hpp"

namespace ne_torch {

template <class T>
void softmax_forward(index_t rows, index_t cols, const T* input, T* output);

// The same without an allocation: room has softmax_room(cols) elements.
index_t softmax_room(index_t cols);
template <class T>
void softmax_forward(index_t rows, index_t cols, const T* input, T* output, T* room);

template <class T>
void softmax_backward(index_t rows, index_t cols, const T* grad_output, const T* output, T* grad_input);

}  // namespace ne_torch
