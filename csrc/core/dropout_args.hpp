// Which elements a dropout lets through: a pure function of seed, pass, sample and feature.
//
//   word(sample, feature) = word feature % 4 of Philox 4x32-10, with key = seed and
//                           counter = (pass mod 2^32, pass / 2^32, sample, feature / 4)
//   kept                  = word > highest_dropped,   highest_dropped = round(p 2^32) - 1
//
// Pass counts the forward passes in train mode, a sample its place in the batch. So a mask is the same
// whatever the layout, the order in which it is computed, and who computes which part of it; backward
// computes it again.
#pragma once

#include <cstdint>

namespace ne_torch {

struct DropoutArgs {
    std::uint64_t seed = 0;
    std::uint64_t pass = 0;
    std::uint32_t first_sample = 0;  // the place in the batch of what is given
    std::uint32_t highest_dropped = 0;
    double scale = 1;  // 1 / (1 - p), rounded to the dtype
};

}  // namespace ne_torch
