// Negative log-likelihoods, element by element: the value, and factor * its derivative by the prediction
// right below. p is the prediction, t the target.
//
//   BceWithLogits  w (q softplus(-p) + (1 - t) p)                      f (w (q sigmoid(p) - pos_weight t))
//                  q = 1 + (pos_weight - 1) t,   softplus(-p) = log1p(exp(-|p|)) + max(0, -p)
//                  w and pos_weight are those of the class
//   PoissonNll     exp(p) - t p              where log_input           f (exp(p) - t)
//                  p - t log(p + eps)        otherwise                 f (1 - t / (p + eps))
//                  + (t log(t) - t) + log(2 pi t) / 2   where full and t > 1: Stirling's log(t!)
#pragma once

#include "core/compiler.hpp"
#include "core/loss_args.hpp"
#include "kernels/elementary/exp.hpp"
#include "kernels/elementary/log.hpp"
#include "kernels/losses/functor_list.hpp"

namespace ne_torch {

template <class V>
class BceWithLogits {
  public:
    static constexpr Loss kind = Loss::bce_with_logits;
    using T = typename V::T;

    explicit BceWithLogits(const LossOptions<T>& options)
        : weight_(options.weight),
          pos_weight_(options.pos_weight),
          weight_step_(options.weight_step),
          pos_weight_step_(options.pos_weight_step) {}

    V value(index_t c, V p, V t) const {
        const V zero = V::broadcast(0);
        V softplus = log1p(exp(zero - V::abs(p))) + V::max(zero, zero - p);
        if (pos_weight_) softplus = share(c, t) * softplus;
        return weighted(c, V::fma(V::broadcast(1) - t, p, softplus));
    }
    V backward(index_t c, V f, V p, V t) const {
        const V zero = V::broadcast(0), one = V::broadcast(1);
        const V e = exp(zero - V::abs(p));
        const V sigmoid = V::where_less(p, zero, e, one) / (one + e);
        const V gradient = pos_weight_ ? V::fma(share(c, t), sigmoid, zero - pos_weight(c) * t) : sigmoid - t;
        return f * weighted(c, gradient);
    }

  private:
    V share(index_t c, V t) const { return V::fma(pos_weight(c) - V::broadcast(1), t, V::broadcast(1)); }
    V pos_weight(index_t c) const { return V::broadcast(pos_weight_[c * pos_weight_step_]); }
    V weighted(index_t c, V x) const { return weight_ ? V::broadcast(weight_[c * weight_step_]) * x : x; }

    const T* weight_;
    const T* pos_weight_;
    index_t weight_step_, pos_weight_step_;
};

template <class V>
class PoissonNll {
  public:
    static constexpr Loss kind = Loss::poisson_nll;
    using T = typename V::T;

    explicit PoissonNll(const LossOptions<T>& options)
        : eps_(V::broadcast(options.eps)), log_input_(options.log_input), full_(options.full) {}

    V value(index_t, V p, V t) const {
        const V minus_t = V::broadcast(0) - t;
        const V loss = log_input_ ? V::fma(minus_t, p, exp(p)) : V::fma(minus_t, log(p + eps_), p);
        return full_ ? loss + stirling(t) : loss;
    }
    V backward(index_t, V f, V p, V t) const {
        return f * (log_input_ ? exp(p) - t : V::broadcast(1) - t / (p + eps_));
    }

  private:
    static V stirling(V t) {
        const V two_pi = V::broadcast(T(6.283185307179586));
        const V above_one =
            V::fma(V::broadcast(T(0.5)), log(two_pi * t), V::fma(t, log(t), V::broadcast(0) - t));
        return V::where_less(V::broadcast(1), t, above_one, V::broadcast(0));
    }

    V eps_;
    bool log_input_, full_;
};

template <class V>
using LikelihoodLosses = FunctorList<BceWithLogits<V>, PoissonNll<V>>;

}  // namespace ne_torch
