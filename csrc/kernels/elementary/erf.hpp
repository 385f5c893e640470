// erf(x) in fused multiply-adds: the same bits from every instruction set, no libm, no branch.
//
//   |x| < 1    erf(x) = x + x p(x^2)
//   |x| >= 1   |erf(x)| = 1 - exp(-q(|x|)),  q approximates -log(1 - erf)
//
// An error of the exponential counts little: it is 0.16 at most. -0 stays -0, NaN stays NaN. Called by GELU.
#pragma once

#include "core/polynomials.hpp"
#include "kernels/elementary/exp.hpp"
#include "kernels/elementary/polynomial.hpp"

namespace ne_torch {

template <class V>
NE_TORCH_INLINE V erf(V x) {
    using C = ErfConstants<typename V::T>;
    const V one = V::broadcast(1);
    const V a = V::min(V::broadcast(C::highest), V::abs(x));
    const V near = V::fma(a, horner(kErfNearSingle, kErfNearWide, a * a), a);
    const V far = one - exp(V::broadcast(0) - horner(kErfFarSingle, kErfFarWide, a));
    return V::or_sign(V::where_less(a, one, near, far), x);
}

}  // namespace ne_torch
