// What is drawn from Philox: normal numbers for initial weights, permutations for shuffles. Either uses one
// 64-bit word an element, that is (n + 1) / 2 blocks.
#pragma once

#include <cstdint>

#include "core/views.hpp"
#include "random/philox.hpp"

namespace ne_torch {

// The quantile function of the standard normal distribution at 0 < p < 1.
double normal_quantile(double p);

// values[i] = deviation * normal_quantile((w_i + 1/2) / 2^52), w_i the upper 52 bits of word i, in float64,
// then rounded to T
template <class T>
void fill_normal(RandomPosition from, double deviation, index_t n, T* values);

// A permutation of 0 .. n - 1 by Fisher and Yates from the top: entry i changes places with entry
// floor(word(i) * (i + 1) / 2^64)
void fill_permutation(RandomPosition from, index_t n, std::int64_t* values);

}  // namespace ne_torch
