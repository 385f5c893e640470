// Memory for kernels, aligned to cache lines and grown on demand. Not for objects with constructors.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "core/views.hpp"

namespace ne_torch {

template <class T>
class AlignedBuffer {
  public:
    // At least `size` elements, with undefined content. Throws std::bad_alloc and keeps what it had.
    T* reserve(index_t size) {
        if (size > capacity_) {
            data_.reset(static_cast<T*>(
                ::operator new(static_cast<std::size_t>(size) * sizeof(T), std::align_val_t{kAlignment})));
            capacity_ = size;
        }
        return data_.get();
    }
    T* data() const { return data_.get(); }

  private:
    static constexpr std::size_t kAlignment = 64;
    struct Free {
        void operator()(T* p) const { ::operator delete(p, std::align_val_t{kAlignment}); }
    };
    std::unique_ptr<T, Free> data_;
    index_t capacity_ = 0;
};

}  // namespace ne_torch
