// Batch-major operands, block by block as the feature-major matrices that kernels take.
#pragma once

#include "core/aligned_buffer.hpp"
#include "core/kernel_table.hpp"

namespace ne_torch {

inline constexpr index_t kTurnedRows = 64;  // rows turned at a time

// Room for copies of `operands` blocks, which lives as long as the thread.
template <class T>
T* turned_room(index_t cols, int operands) {
    thread_local AlignedBuffer<T> room;
    return room.reserve(operands * cols * kTurnedRows);
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
        return {room(slot).data, kTurnedRows, 1};
    }
    // where to write rows [row, row + count); in the place of operand `slot`, which may be read meanwhile
    Matrix<T> out(int slot, T* data, index_t row, index_t count) const {
        return direct_ ? Matrix<T>{data + row * cols_, count, 1} : room(slot);
    }
    // brings what was written home
    void flush(int slot, T* data, index_t row, index_t count) const {
        if (direct_) return;
        kernels_.transpose(cols_, count, {room(slot).data, kTurnedRows, 1}, {data + row * cols_, cols_, 1});
    }

    // body(first row, rows) for every block
    template <class Body>
    void for_each_block(index_t rows, Body body) const {
        for (index_t row = 0; row < rows; row += kTurnedRows)
            body(row, rows - row < kTurnedRows ? rows - row : kTurnedRows);
    }

  private:
    Matrix<T> room(int slot) const { return {room_ + slot * cols_ * kTurnedRows, kTurnedRows, 1}; }

    const Kernels<T>& kernels_;
    index_t cols_;
    bool direct_;
    T* room_;
};

}  // namespace ne_torch
