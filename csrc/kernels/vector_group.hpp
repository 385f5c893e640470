// Several vectors that go through the same steps side by side: a V whose every operation is that of its
// vectors, one after the other.
//
// An elementary function is a chain of some twenty steps, which wait for each other. Other elements could go
// on meanwhile, but the next vector is twenty instructions away, and a processor does not hold as many that
// wait as would keep it busy: Zen 3 takes 10 cycles for a tanh of 8 floats, and 8.5 for one of four side by
// side; 16.7 and 13.7 for sigmoid, 33 and 27 for GELU. Used by activations.hpp.
#pragma once

#include "core/compiler.hpp"

namespace ne_torch {

// How many: where it was measured. (AVX-512, Sapphire Rapids: sigmoid 0.91 of the time by two and 0.79 by
// four, tanh 0.90 and 0.83, GELU 0.80 and 0.64.)
template <class V>
constexpr int kSideBySide = sizeof(typename V::T) == sizeof(float) && V::lanes >= 8 ? 4 : 1;

template <class V, int count>
struct VectorGroup {
    using T = typename V::T;
    static constexpr int lanes = count * V::lanes;

    V v[count];

    template <class Step>
    static NE_TORCH_INLINE VectorGroup each(Step step) {
        VectorGroup group;
#pragma GCC unroll 8
        for (int i = 0; i < count; ++i) group.v[i] = step(i);
        return group;
    }

    static NE_TORCH_INLINE VectorGroup load(const T* p) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return V::load(p + i * V::lanes); });
    }
    NE_TORCH_INLINE void store(T* p) const {
#pragma GCC unroll 8
        for (int i = 0; i < count; ++i) v[i].store(p + i * V::lanes);
    }
    static NE_TORCH_INLINE VectorGroup broadcast(T x) {
        const V all = V::broadcast(x);
        return each([&](int) NE_TORCH_INLINE_LAMBDA { return all; });
    }

    friend NE_TORCH_INLINE VectorGroup operator+(const VectorGroup& a, const VectorGroup& b) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return a.v[i] + b.v[i]; });
    }
    friend NE_TORCH_INLINE VectorGroup operator-(const VectorGroup& a, const VectorGroup& b) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return a.v[i] - b.v[i]; });
    }
    friend NE_TORCH_INLINE VectorGroup operator*(const VectorGroup& a, const VectorGroup& b) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return a.v[i] * b.v[i]; });
    }
    friend NE_TORCH_INLINE VectorGroup operator/(const VectorGroup& a, const VectorGroup& b) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return a.v[i] / b.v[i]; });
    }
    static NE_TORCH_INLINE VectorGroup fma(const VectorGroup& a, const VectorGroup& b, const VectorGroup& c) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return V::fma(a.v[i], b.v[i], c.v[i]); });
    }
    static NE_TORCH_INLINE VectorGroup max(const VectorGroup& a, const VectorGroup& b) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return V::max(a.v[i], b.v[i]); });
    }
    static NE_TORCH_INLINE VectorGroup min(const VectorGroup& a, const VectorGroup& b) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return V::min(a.v[i], b.v[i]); });
    }
    static NE_TORCH_INLINE VectorGroup where_less(const VectorGroup& a, const VectorGroup& b,
                                                  const VectorGroup& yes, const VectorGroup& no) {
        return each([&](int i)
                        NE_TORCH_INLINE_LAMBDA { return V::where_less(a.v[i], b.v[i], yes.v[i], no.v[i]); });
    }
    static NE_TORCH_INLINE VectorGroup abs(const VectorGroup& a) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return V::abs(a.v[i]); });
    }
    static NE_TORCH_INLINE VectorGroup or_sign(const VectorGroup& a, const VectorGroup& b) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return V::or_sign(a.v[i], b.v[i]); });
    }
    static NE_TORCH_INLINE VectorGroup power_of_two(const VectorGroup& a) {
        return each([&](int i) NE_TORCH_INLINE_LAMBDA { return V::power_of_two(a.v[i]); });
    }
};

}  // namespace ne_torch
