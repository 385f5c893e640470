// Row strides at which rows of one matrix do not evict each other from the cache.
#pragma once

#include "core/views.hpp"

namespace ne_torch {

inline constexpr index_t kCacheLine = 64;

// Elements from row to row: whole cache lines, and an odd number of them, so that rows begin in all sets of
// the cache. At a multiple of four lines they would share a quarter of them.
template <class T>
index_t padded(index_t row) {
    constexpr index_t line = kCacheLine / static_cast<index_t>(sizeof(T));
    return ((row + line - 1) / line | 1) * line;
}

}  // namespace ne_torch
