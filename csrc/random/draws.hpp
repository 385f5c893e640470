// What is drawn from Philox: normal and uniform numbers for initial weights, permutations for shuffles. Each
// uses one 64-bit word an element, that is (n + 1) / 2 blocks.
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

// values[i] = fma(u_i, high - low, low) in float64, then rounded to T; u_i = (upper 24 bits of word i) / 2^24
// for float, (upper 53 bits) / 2^53 for double, so that [0, 1) stays below 1 in either
template <class T>
void fill_uniform(RandomPosition from, double low, double high, index_t n, T* values);

// A permutation of 0 .. n - 1 by Fisher and Yates from the top: entry i changes places with entry
// floor(word(i) * (i + 1) / 2^64)
void fill_permutation(RandomPosition from, index_t n, std::int64_t* values);

}  // namespace ne_torch
