#include "functional/batch_major.hpp"

#include "core/aligned_buffer.hpp"
#include "dispatch/registry.hpp"

namespace ne_torch {
namespace {

constexpr index_t kBlock = 64;  // rows turned at a time

// Room for copies of `operands` blocks, which lives as long as the thread.
template <class T>
T* block_room(index_t cols, int operands) {
    thread_local AlignedBuffer<T> room;
    return room.reserve(operands * cols * kBlock);
}

// Feature-major views of blocks of rows of batch-major (rows, cols) operands, copied to room. A single row or
// a single column is its own transpose and is viewed where it lies.
template <class T>
class Turned {
  public:
    Turned(const Kernels<T>& kernels, index_t rows, index_t cols, T* room)
        : kernels_(kernels), cols_(cols), direct_(rows == 1 || cols == 1), room_(room) {}

    // operand number `slot`, rows [row, row + count), to be read
    Matrix<const T> in(int slot, const T* data, index_t row, index_t count) const {
        if (direct_) return {data + row * cols_, count, 1};
        kernels_.transpose(count, cols_, {data + row * cols_, cols_, 1}, room(slot));
        return {room(slot).data, kBlock, 1};
    }
    // where to write rows [row, row + count); in the place of operand `slot`, which may be read meanwhile
    Matrix<T> out(int slot, T* data, index_t row, index_t count) const {
        return direct_ ? Matrix<T>{data + row * cols_, count, 1} : room(slot);
    }
    // brings what was written home
    void flush(int slot, T* data, index_t row, index_t count) const {
        if (direct_) return;
        kernels_.transpose(cols_, count, {room(slot).data, kBlock, 1}, {data + row * cols_, cols_, 1});
    }

    // body(first row, rows) for every block
    template <class Body>
    void for_each_block(index_t rows, Body body) const {
        for (index_t row = 0; row < rows; row += kBlock) body(row, rows - row < kBlock ? rows - row : kBlock);
    }

  private:
    Matrix<T> room(int slot) const { return {room_ + slot * cols_ * kBlock, kBlock, 1}; }

    const Kernels<T>& kernels_;
    index_t cols_;
    bool direct_;
    T* room_;
};

}  // namespace

template <class T>
void softmax_forward(index_t rows, index_t cols, const T* input, T* output) {
    softmax_forward(rows, cols, input, output, block_room<T>(cols, 1));
}

index_t softmax_room(index_t cols) { return cols * kBlock; }

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
    const Turned<T> turned(kernels, rows, cols, block_room<T>(cols, 2));
    turned.for_each_block(rows, [&](index_t row, index_t count) {
        const Matrix<const T> grad = turned.in(0, grad_output, row, count);
        const Matrix<const T> s = turned.in(1, output, row, count);
        kernels.softmax_backward(cols, count, grad, s, turned.out(0, grad_input, row, count));
        turned.flush(0, grad_input, row, count);
    });
}

template <class T>
double loss_forward(Loss kind, index_t rows, index_t cols, const T* prediction, const T* target) {
    const Kernels<T>& kernels = active_kernels<T>();
    const Turned<T> turned(kernels, rows, cols, block_room<T>(cols, 2));
    double total = 0;
    turned.for_each_block(rows, [&](index_t row, index_t count) {
        double loss[kBlock];
        kernels.loss_forward(kind, cols, count, turned.in(0, prediction, row, count),
                             turned.in(1, target, row, count), loss);
        for (index_t i = 0; i < count; ++i) total += loss[i];
    });
    return total / static_cast<double>(rows * cols);
}

template void softmax_forward(index_t, index_t, const float*, float*);
template void softmax_forward(index_t, index_t, const float*, float*, float*);
template void softmax_backward(index_t, index_t, const float*, const float*, float*);
template double loss_forward(Loss, index_t, index_t, const float*, const float*);
template void softmax_forward(index_t, index_t, const double*, double*);
template void softmax_forward(index_t, index_t, const double*, double*, double*);
template void softmax_backward(index_t, index_t, const double*, const double*, double*);
template double loss_forward(Loss, index_t, index_t, const double*, const double*);

}  // namespace ne_torch
