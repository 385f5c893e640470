// Philox 4x32-10: random numbers as a pure function of (seed, position). No state, the same everywhere.
//
// Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011). A 128-bit counter goes
// through ten rounds of multiplications keyed by the 64-bit seed; every counter gives four 32-bit words.
#pragma once

#include <array>
#include <cstdint>

namespace ne_torch {

using PhiloxBlock = std::array<std::uint32_t, 4>;

inline PhiloxBlock philox4x32(PhiloxBlock counter, std::uint32_t key0, std::uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
        const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
        counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key0,
                   static_cast<std::uint32_t>(product1),
                   static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key1,
                   static_cast<std::uint32_t>(product0)};
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
    return counter;
}

// Where a stream of draws begins: the seed, and the first block that is not used yet.
struct RandomPosition {
    std::uint64_t seed;
    std::uint64_t block;

    // The 64-bit word number i from here; a block holds two.
    std::uint64_t word(std::uint64_t i) const {
        const std::uint64_t at = block + i / 2;
        const PhiloxBlock words =
            philox4x32({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at >> 32), 0, 0},
                       static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
        const std::size_t first = i % 2 * 2;
        return std::uint64_t{words[first]} << 32 | words[first + 1];
    }
};

}  // namespace ne_torch
