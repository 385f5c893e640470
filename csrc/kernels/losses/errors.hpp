// Losses of d = prediction - target, element by element: the value, and factor * its derivative by the
// prediction right below.
//
//   SquaredError   d^2                                                (f + f) d
//   AbsoluteError  |d|                                                f sign(d)
//   Huber          q (|d| - q / 2),           q = min(delta, |d|)     f clamp(d, delta)
//   SmoothL1       (q / beta) (|d| - q / 2),  q = min(beta, |d|)      f (clamp(d, beta) / beta)
//   Quantile       max(-quantile d, (1 - quantile) d)                 f (d > 0 ? 1 - quantile : d < 0 ?
//   -quantile : 0)
//
// sign(0) and sign(NaN) are 0, as in torch. With q Huber's two branches are one expression, which rounds as
// each of them does.
#pragma once

#include "core/compiler.hpp"
#include "core/loss_args.hpp"
#include "kernels/losses/functor_list.hpp"

namespace ne_torch {

template <class V>
NE_TORCH_INLINE V by_sign(V d, V above, V below) {
    const V zero = V::broadcast(0);
    return V::where_less(zero, d, above, V::where_less(d, zero, below, zero));
}

template <class V>
NE_TORCH_INLINE V clamp(V d, V limit) {
    return V::max(V::broadcast(0) - limit, V::min(limit, d));
}

template <class V>
struct SquaredError {
    static constexpr Loss kind = Loss::mse;
    explicit SquaredError(const LossOptions<typename V::T>&) {}
    V value(index_t, V p, V t) const { return (p - t) * (p - t); }
    V backward(index_t, V f, V p, V t) const { return (f + f) * (p - t); }
};

template <class V>
struct AbsoluteError {
    static constexpr Loss kind = Loss::l1;
    explicit AbsoluteError(const LossOptions<typename V::T>&) {}
    V value(index_t, V p, V t) const { return V::abs(p - t); }
    V backward(index_t, V f, V p, V t) const { return f * by_sign(p - t, V::broadcast(1), V::broadcast(-1)); }
};

template <class V>
class Huber {
  public:
    static constexpr Loss kind = Loss::huber;

    explicit Huber(const LossOptions<typename V::T>& options) : delta_(V::broadcast(options.delta)) {}
    V value(index_t, V p, V t) const {
        const V distance = V::abs(p - t);
        const V q = V::min(delta_, distance);
        return q * (distance - V::broadcast(typename V::T(0.5)) * q);
    }
    V backward(index_t, V f, V p, V t) const { return f * clamp(p - t, delta_); }

  private:
    V delta_;
};

template <class V>
class SmoothL1 {
  public:
    static constexpr Loss kind = Loss::smooth_l1;

    explicit SmoothL1(const LossOptions<typename V::T>& options) : beta_(V::broadcast(options.beta)) {}
    V value(index_t, V p, V t) const {
        const V distance = V::abs(p - t);
        const V q = V::min(beta_, distance);
        return q / beta_ * (distance - V::broadcast(typename V::T(0.5)) * q);
    }
    V backward(index_t, V f, V p, V t) const { return f * (clamp(p - t, beta_) / beta_); }

  private:
    V beta_;
};

template <class V>
class Quantile {
  public:
    static constexpr Loss kind = Loss::quantile;

    explicit Quantile(const LossOptions<typename V::T>& options)
        : above_(V::broadcast(1 - options.quantile)), below_(V::broadcast(-options.quantile)) {}
    V value(index_t, V p, V t) const { return V::max(below_ * (p - t), above_ * (p - t)); }
    V backward(index_t, V f, V p, V t) const { return f * by_sign(p - t, above_, below_); }

  private:
    V above_, below_;
};

template <class V>
using ErrorLosses = FunctorList<SquaredError<V>, AbsoluteError<V>, Huber<V>, SmoothL1<V>, Quantile<V>>;

}  // namespace ne_torch
