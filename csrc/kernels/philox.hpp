// Philox 4x32-10 on vectors: four words of a counter in, four random words out, a counter a lane; see
// random/philox.hpp for the generator.
#pragma once

#include <cstdint>

#include "core/compiler.hpp"

namespace ne_torch {

template <class Words>
NE_TORCH_INLINE void philox4x32(Words (&counter)[4], std::uint64_t seed) {
    auto key0 = static_cast<std::uint32_t>(seed);
    auto key1 = static_cast<std::uint32_t>(seed >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        Words high0, low0, high1, low1;
        Words::multiply(counter[0], 0xD2511F53, high0, low0);
        Words::multiply(counter[2], 0xCD9E8D57, high1, low1);
        counter[0] = high1 ^ counter[1] ^ Words::broadcast(key0);
        counter[1] = low1;
        counter[2] = high0 ^ counter[3] ^ Words::broadcast(key1);
        counter[3] = low0;
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
}

}  // namespace ne_torch
