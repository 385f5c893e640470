// Hands out consecutive pieces of one allocation, each on a cache line of its own. A first pass without
// memory only counts.
#pragma once

#include "core/padded.hpp"
#include "core/views.hpp"

namespace ne_torch {

inline index_t round_up(index_t n, index_t unit) { return (n + unit - 1) / unit * unit; }

// What there is to be room for.
struct Extent {
    index_t rows;    // samples of a block, at most
    bool gradients;  // whether gradients of parameters have to be kept, as between the blocks of a batch
};

template <class T>
class Layout {
  public:
    explicit Layout(T* memory) : memory_(memory) {}

    T* take(index_t elements) {
        T* piece = memory_ ? memory_ + used_ : nullptr;
        used_ += round_up(elements, kCacheLine / static_cast<index_t>(sizeof(T)));
        return piece;
    }
    // rows of `length` elements, padded
    Matrix<T> take_matrix(index_t rows, index_t length) {
        const index_t stride = padded<T>(length);
        return {take(rows * stride), stride, 1};
    }

    index_t used() const { return used_; }

  private:
    T* memory_;
    index_t used_ = 0;
};

}  // namespace ne_torch
