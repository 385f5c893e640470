// Features kept in bytes:
//
//   output[i, j] = fma(float(input[i, j]), scale[j], shift[j])        input: (rows, cols) of uint8
//
// Called where samples are gathered, so that a data set of bytes is never converted as a whole.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/views.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
void scale_bytes(index_t rows, index_t cols, Matrix<const std::uint8_t> input, const typename V::T* scale,
                 const typename V::T* shift, Matrix<typename V::T> output) {
    const index_t whole = cols - cols % V::lanes;
    for (index_t i = 0; i < rows; ++i) {
        for (index_t j = 0; j < whole; j += V::lanes) {
            V::fma(V::load(input.at(i, j)), V::load(scale + j), V::load(shift + j)).store(output.at(i, j));
        }
        if (whole == cols) continue;
        std::uint8_t rest[V::lanes] = {};  // a vector of bytes would reach beyond the row
        std::memcpy(rest, input.at(i, whole), static_cast<std::size_t>(cols - whole));
        const FirstLanes<V> lanes{V::first(static_cast<int>(cols - whole))};
        lanes.store(output.at(i, whole), V::fma(V::load(static_cast<const std::uint8_t*>(rest)),
                                                lanes.load(scale + whole), lanes.load(shift + whole)));
    }
}

}  // namespace ne_torch
