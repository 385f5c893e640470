#include <cmath>
#include <limits>

#include "random/draws.hpp"

namespace ne_torch {

template <class T>
void fill_uniform(RandomPosition from, double low, double high, index_t n, T* values) {
    constexpr int digits = std::numeric_limits<T>::digits;
    const double unit = std::ldexp(1.0, -digits);
    const double width = high - low;
    for (index_t i = 0; i < n; ++i) {
        const std::uint64_t bits = from.word(static_cast<std::uint64_t>(i)) >> (64 - digits);
        values[i] = static_cast<T>(std::fma(static_cast<double>(bits) * unit, width, low));
    }
}

template void fill_uniform(RandomPosition, double, double, index_t, float*);
template void fill_uniform(RandomPosition, double, double, index_t, double*);

}  // namespace ne_torch
