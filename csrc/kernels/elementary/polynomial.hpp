// Horner's scheme in fused multiply-adds.
#pragma once

#include <cstddef>

#include "core/compiler.hpp"

namespace ne_torch {

// coefficients from the highest power down
template <class V, std::size_t N>
NE_TORCH_INLINE V horner(const typename V::T (&coefficients)[N], V x) {
    V value = V::broadcast(coefficients[0]);
#pragma GCC unroll 32
    for (std::size_t i = 1; i < N; ++i) value = V::fma(value, x, V::broadcast(coefficients[i]));
    return value;
}

// the coefficients for the vector's dtype
template <class V, std::size_t N, std::size_t M>
NE_TORCH_INLINE V horner(const float (&single)[N], const double (&wide)[M], V x) {
    if constexpr (sizeof(typename V::T) == sizeof(float)) {
        return horner(single, x);
    } else {
        return horner(wide, x);
    }
}

}  // namespace ne_torch
