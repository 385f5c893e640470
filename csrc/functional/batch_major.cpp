#include "functional/batch_major.hpp"

#include "dispatch/registry.hpp"
#include "functional/turned.hpp"

namespace ne_torch {
namespace {

// run(classes, count, blocks of operands..., block of the result) of a table, over all rows
template <class T, class Run>
void forward_of(Run run, index_t rows, index_t cols, const T* input, T* output, T* room) {
    const Turned<T> turned(active_kernels<T>(), rows, cols, room);
    turned.for_each_block(rows, [&](index_t row, index_t count) {
        run(cols, count, turned.in(0, input, row, count), turned.out(0, output, row, count));
        turned.flush(0, output, row, count);
    });
}

template <class T, class Run>
void backward_of(Run run, index_t rows, index_t cols, const T* grad_output, const T* output, T* grad_input) {
    const Turned<T> turned(active_kernels<T>(), rows, cols, turned_room<T>(cols, 2));
    turned.for_each_block(rows, [&](index_t row, index_t count) {
        const Matrix<const T> grad = turned.in(0, grad_output, row, count);
        const Matrix<const T> y = turned.in(1, output, row, count);
        run(cols, count, grad, y, turned.out(0, grad_input, row, count));
        turned.flush(0, grad_input, row, count);
    });
}

}  // namespace

index_t softmax_room(index_t cols) { return cols * kTurnedRows; }

template <class T>
void softmax_forward(index_t rows, index_t cols, const T* input, T* output) {
    softmax_forward(rows, cols, input, output, turned_room<T>(cols, 1));
}

template <class T>
void softmax_forward(index_t rows, index_t cols, const T* input, T* output, T* room) {
    forward_of(active_kernels<T>().softmax_forward, rows, cols, input, output, room);
}

template <class T>
void softmax_backward(index_t rows, index_t cols, const T* grad_output, const T* output, T* grad_input) {
    backward_of(active_kernels<T>().softmax_backward, rows, cols, grad_output, output, grad_input);
}

template <class T>
void log_softmax_forward(index_t rows, index_t cols, const T* input, T* output) {
    log_softmax_forward(rows, cols, input, output, turned_room<T>(cols, 1));
}

template <class T>
void log_softmax_forward(index_t rows, index_t cols, const T* input, T* output, T* room) {
    forward_of(active_kernels<T>().log_softmax_forward, rows, cols, input, output, room);
}

template <class T>
void log_softmax_backward(index_t rows, index_t cols, const T* grad_output, const T* output, T* grad_input) {
    backward_of(active_kernels<T>().log_softmax_backward, rows, cols, grad_output, output, grad_input);
}

template void softmax_forward(index_t, index_t, const float*, float*);
template void softmax_forward(index_t, index_t, const float*, float*, float*);
template void softmax_backward(index_t, index_t, const float*, const float*, float*);
template void log_softmax_forward(index_t, index_t, const float*, float*);
template void log_softmax_forward(index_t, index_t, const float*, float*, float*);
template void log_softmax_backward(index_t, index_t, const float*, const float*, float*);
template void softmax_forward(index_t, index_t, const double*, double*);
template void softmax_forward(index_t, index_t, const double*, double*, double*);
template void softmax_backward(index_t, index_t, const double*, const double*, double*);
template void log_softmax_forward(index_t, index_t, const double*, double*);
template void log_softmax_forward(index_t, index_t, const double*, double*, double*);
template void log_softmax_backward(index_t, index_t, const double*, const double*, double*);

}  // namespace ne_torch
