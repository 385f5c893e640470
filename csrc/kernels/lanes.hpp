// How a vector meets memory: all of its lanes, or the first few where a row or an array ends.
#pragma once

#include "core/views.hpp"

namespace ne_torch {

// AVX-512: a vector is a cache line. A store of one that is not aligned falls into two lines; a mask costs
// nothing.
template <class V>
constexpr bool kVectorIsLine = sizeof(V) == 64;

template <class V>
struct AllLanes {
    V load(const typename V::T* p) const { return V::load(p); }
    void store(typename V::T* p, V x) const { x.store(p); }
};

template <class V>
struct FirstLanes {
    typename V::Mask mask;
    V load(const typename V::T* p) const { return V::load(p, mask); }
    void store(typename V::T* p, V x) const { x.store(p, mask); }
};

// The first n lanes of totals, or all.
template <class V>
NE_TORCH_INLINE void store_totals(const typename V::Totals& totals, index_t n, double* p) {
    if (n >= V::lanes) return totals.store(p);
    double all[V::lanes];
    totals.store(all);
    for (index_t l = 0; l < n; ++l) p[l] = all[l];
}

// body(i, lanes) for i = 0, lanes, 2 lanes, ... below n; the last call is masked where n is no multiple.
// Inlined into the kernel, and where the kernel is a lambda the body holds its views by value: else they
// would be read again, and their strides multiplied, after every store of a vector, which might have changed
// them.
template <class V, class Body>
NE_TORCH_INLINE void for_each_chunk(index_t n, Body body) {
    index_t i = 0;
    for (; i + V::lanes <= n; i += V::lanes) body(i, AllLanes<V>{});
    if (i < n) body(i, FirstLanes<V>{V::first(static_cast<int>(n - i))});
}

// body(i, j, lanes) for every chunk of every row
template <class V, class Body>
NE_TORCH_INLINE void for_each_chunk(index_t rows, index_t cols, Body body) {
    for (index_t i = 0; i < rows; ++i) {
        for_each_chunk<V>(cols, [&](index_t j, auto lanes) { body(i, j, lanes); });
    }
}

}  // namespace ne_torch
