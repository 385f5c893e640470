#include <utility>

#include "random/draws.hpp"

namespace ne_torch {
namespace {

// The upper half of the 128-bit product.
std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t a_low = a & 0xffffffff;
    const std::uint64_t a_high = a >> 32;
    const std::uint64_t b_low = b & 0xffffffff;
    const std::uint64_t b_high = b >> 32;
    const std::uint64_t middle = a_high * b_low + (a_low * b_low >> 32);
    const std::uint64_t middle2 = a_low * b_high + (middle & 0xffffffff);
    return a_high * b_high + (middle >> 32) + (middle2 >> 32);
}

}  // namespace

void fill_permutation(RandomPosition from, index_t n, std::int64_t* values) {
    for (index_t i = 0; i < n; ++i) values[i] = i;
    for (index_t i = n - 1; i > 0; --i) {
        const auto upper = static_cast<std::uint64_t>(i);
        std::swap(values[i], values[multiply_high(from.word(upper), upper + 1)]);
    }
}

}  // namespace ne_torch
