// Softmax and its logarithm on batch-major (rows, cols) arrays. Called by the bindings.
//
// The kernels are feature-major, with samples in the lanes: blocks of rows are transposed on the way in and
// back on the way out.
#pragma once

#include "core/views.hpp"

namespace ne_torch {

template <class T>
void softmax_forward(index_t rows, index_t cols, const T* input, T* output);
template <class T>
void log_softmax_forward(index_t rows, index_t cols, const T* input, T* output);

// The same without an allocation: room has softmax_room(cols) elements.
index_t softmax_room(index_t cols);
template <class T>
void softmax_forward(index_t rows, index_t cols, const T* input, T* output, T* room);
template <class T>
void log_softmax_forward(index_t rows, index_t cols, const T* input, T* output, T* room);

template <class T>
void softmax_backward(index_t rows, index_t cols, const T* grad_output, const T* output, T* grad_input);
template <class T>
void log_softmax_backward(index_t rows, index_t cols, const T* grad_output, const T* output, T* grad_input);

}  // namespace ne_torch
