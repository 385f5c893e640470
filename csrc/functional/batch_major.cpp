#include "functional/batch_major.hpp"

#include "dispatch/registry.hpp"
#include "functional/turned.hpp"

namespace ne_torch {

template <class T>
void softmax_forward(index_t rows, index_t cols, const T* input, T* output) {
    softmax_forward(rows, cols, input, output, turned_room<T>(cols, 1));
}

index_t softmax_room(index_t cols) { return cols * kTurnedRows; }

template <class T>
void softmax_forward(index_t rows, index_t cols, const T* input, T* output, T* room) {
    const Kernels<T>& kernels = active_kernels<T>();
    const Turned<T> turned(kernels, rows, cols, room);
    turned.for_each_block(rows, [&](index_t row, index_t count) {
        const Matrix<const T> logits = turned.in(0, input, row, count);
        kernels.softmax_forward(cols, count, logits, turned.out(0, output, row, count));
        turned.flush(0, output, row, count);
    });
}

template <class T>
void softmax_backward(index_t rows, index_t cols, const T* grad_output, const T* output, T* grad_input) {
    const Kernels<T>& kernels = active_kernels<T>();
    const Turned<T> turned(kernels, rows, cols, turned_room<T>(cols, 2));
    turned.for_each_block(rows, [&](index_t row, index_t count) {
        const Matrix<const T> grad = turned.in(0, grad_output, row, count);
        const Matrix<const T> s = turned.in(1, output, row, count);
        kernels.softmax_backward(cols, count, grad, s, turned.out(0, grad_input, row, count));
        turned.flush(0, grad_input, row, count);
    });
}

template void softmax_forward(index_t, index_t, const float*, float*);
template void softmax_forward(index_t, index_t, const float*, float*, float*);
template void softmax_backward(index_t, index_t, const float*, const float*, float*);
template void softmax_forward(index_t, index_t, const double*, double*);
template void softmax_forward(index_t, index_t, const double*, double*, double*);
template void softmax_backward(index_t, index_t, const double*, const double*, double*);

}  // namespace ne_torch
