// The step of each optimizer, element by element, a functor each. Its gradient g and its parameter come
// prepared from update.hpp.
//
//   SGD (torch.optim.SGD), state 0 is the velocity; intake is 1 - dampening, 1 in the first step:
//     velocity = fma(momentum, velocity, intake * g)         velocity starts at +0
//     d        = momentum == 0 ? g : nesterov ? fma(momentum, velocity, g) : velocity
//     param    = fma(-lr, d, param)
//
//   Adam, AdamW (torch.optim.Adam), states m, v, and u with amsgrad; lr and root_scale correct the bias:
//     m     = fma(first_share, g - m, m)
//     v     = fma(second_share * g, g, second_kept * v)
//     u     = amsgrad ? max(u, v) : v
//     param = fma(-lr, m / fma(sqrt(u), root_scale, eps), param)
//
//   RMSprop (torch.optim.RMSprop), states v, the velocity with momentum, m where centered:
//     v        = fma(second_share * g, g, second_kept * v)
//     m        = fma(first_share, g - m, m)
//     d        = g / (sqrt(centered ? max(0, fma(0 - m, m, v)) : v) + eps)
//     velocity = fma(momentum, velocity, d)
//     param    = fma(-lr, momentum == 0 ? d : velocity, param)
//
//   Adagrad (torch.optim.Adagrad), state 0 is the sum of squares:
//     sum   = fma(g, g, sum)
//     param = fma(-lr, g / (sqrt(sum) + eps), param)
#pragma once

#include "core/compiler.hpp"
#include "core/update_options.hpp"

namespace ne_torch {

template <class V>
class SgdStep {
  public:
    using T = typename V::T;

    explicit SgdStep(const UpdateOptions<T>& options)
        : minus_lr_(V::broadcast(-options.lr)),
          momentum_(V::broadcast(options.momentum)),
          intake_(V::broadcast(options.intake)),
          has_momentum_(options.momentum != T(0)),
          nesterov_(options.nesterov) {}

    static bool clips(const UpdateOptions<T>& options) {
        return options.gradient_scale != T(1) || options.gradient_limit != T(0);
    }

    // param = fma(-lr, grad, param) is all there is to it
    static bool plain(const UpdateOptions<T>& options) {
        return options.kind == Optimizer::sgd && options.momentum == T(0) && options.weight_decay == T(0) &&
               !options.maximize && options.shrink == T(1) && !clips(options);
    }

    V descend(V param, V direction) const { return V::fma(minus_lr_, direction, param); }

    template <class State>
    V operator()(V param, V direction, State state) const {
        if (has_momentum_) {
            const V velocity = V::fma(momentum_, state.load(0), intake_ * direction);
            state.store(0, velocity);
            direction = nesterov_ ? V::fma(momentum_, velocity, direction) : velocity;
        }
        return descend(param, direction);
    }

  private:
    V minus_lr_, momentum_, intake_;
    bool has_momentum_, nesterov_;
};

template <class V>
class AdamStep {
  public:
    explicit AdamStep(const UpdateOptions<typename V::T>& options)
        : minus_lr_(V::broadcast(-options.lr)),
          first_share_(V::broadcast(options.first_share)),
          second_kept_(V::broadcast(options.second_kept)),
          second_share_(V::broadcast(options.second_share)),
          root_scale_(V::broadcast(options.root_scale)),
          eps_(V::broadcast(options.eps)),
          largest_(options.largest) {}

    template <class State>
    V operator()(V param, V g, State state) const {
        const V old = state.load(0);
        const V m = V::fma(first_share_, g - old, old);
        const V v = V::fma(second_share_ * g, g, second_kept_ * state.load(1));
        state.store(0, m);
        state.store(1, v);
        V u = v;
        if (largest_) {
            u = V::max(state.load(2), v);
            state.store(2, u);
        }
        return V::fma(minus_lr_, m / V::fma(V::sqrt(u), root_scale_, eps_), param);
    }

  private:
    V minus_lr_, first_share_, second_kept_, second_share_, root_scale_, eps_;
    bool largest_;
};

template <class V>
class RmspropStep {
  public:
    using T = typename V::T;

    explicit RmspropStep(const UpdateOptions<T>& options)
        : minus_lr_(V::broadcast(-options.lr)),
          momentum_(V::broadcast(options.momentum)),
          first_share_(V::broadcast(options.first_share)),
          second_kept_(V::broadcast(options.second_kept)),
          second_share_(V::broadcast(options.second_share)),
          eps_(V::broadcast(options.eps)),
          has_momentum_(options.momentum != T(0)),
          centered_(options.centered) {}

    template <class State>
    V operator()(V param, V g, State state) const {
        V v = V::fma(second_share_ * g, g, second_kept_ * state.load(0));
        state.store(0, v);
        if (centered_) {
            const V old = state.load(2);
            const V m = V::fma(first_share_, g - old, old);
            state.store(2, m);
            const V zero = V::broadcast(0);
            v = V::max(zero, V::fma(zero - m, m, v));  // rounding may leave less than nothing
        }
        V direction = g / (V::sqrt(v) + eps_);
        if (has_momentum_) {
            direction = V::fma(momentum_, state.load(1), direction);
            state.store(1, direction);
        }
        return V::fma(minus_lr_, direction, param);
    }

  private:
    V minus_lr_, momentum_, first_share_, second_kept_, second_share_, eps_;
    bool has_momentum_, centered_;
};

template <class V>
class AdagradStep {
  public:
    explicit AdagradStep(const UpdateOptions<typename V::T>& options)
        : minus_lr_(V::broadcast(-options.lr)), eps_(V::broadcast(options.eps)) {}

    template <class State>
    V operator()(V param, V g, State state) const {
        const V sum = V::fma(g, g, state.load(0));
        state.store(0, sum);
        return V::fma(minus_lr_, g / (V::sqrt(sum) + eps_), param);
    }

  private:
    V minus_lr_, eps_;
};

// Calls body with the functor of the optimizer.
template <class V, class Body>
NE_TORCH_INLINE void with_optimizer(const UpdateOptions<typename V::T>& options, Body body) {
    switch (options.kind) {
        case Optimizer::sgd:
            return body(SgdStep<V>(options));
        case Optimizer::adam:
            return body(AdamStep<V>(options));
        case Optimizer::rmsprop:
            return body(RmspropStep<V>(options));
        case Optimizer::adagrad:
            return body(AdagradStep<V>(options));
    }
}

}  // namespace ne_torch
