// 32-bit words without SIMD: one lane. What Philox takes, see kernels/philox.hpp.
#pragma once

#include <cstdint>

namespace ne_torch::scalar {

struct Words {
    std::uint32_t v;

    static Words broadcast(std::uint32_t x) { return {x}; }
    // first, first + 1, ... in the lanes
    static Words counting(std::uint32_t first) { return {first}; }
    friend Words operator^(Words a, Words b) { return {a.v ^ b.v}; }
    // high 2^32 + low = a * by
    static void multiply(Words a, std::uint32_t by, Words& high, Words& low) {
        const std::uint64_t product = static_cast<std::uint64_t>(a.v) * by;
        high.v = static_cast<std::uint32_t>(product >> 32);
        low.v = static_cast<std::uint32_t>(product);
    }
};

}  // namespace ne_torch::scalar
