// Updates of parameters, element by element: one functor for each optimizer. Used by the table's update and
// by the store of grad_weight.
//
//   all   g = maximize ? 0 - grad : grad,  then  weight_decay == 0 ? g : fma(weight_decay, param, g)
//
//   SGD (torch.optim.SGD), state 0 is the velocity; intake is 1 - dampening, 1 in the first step:
//     velocity = fma(momentum, velocity, intake * g)         velocity starts at +0
//     d        = momentum == 0 ? g : nesterov ? fma(momentum, velocity, g) : velocity
//     param    = fma(-lr, d, param)
#pragma once

#include "core/compiler.hpp"
#include "core/update_options.hpp"
#include "core/views.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

// The states of the vector of parameters at element `at`.
template <class V, class Lanes>
struct StateAt {
    typename V::T* const* state;
    index_t at;
    Lanes lanes;
    V load(int i) const { return lanes.load(state[i] + at); }
    void store(int i, V x) const { lanes.store(state[i] + at, x); }
};

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

    // param = fma(-lr, grad, param) is all there is to it
    static bool plain(const UpdateOptions<T>& options) {
        return options.kind == Optimizer::sgd && options.momentum == T(0) && options.weight_decay == T(0) &&
               !options.maximize;
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

// Calls body with the functor of the optimizer.
template <class V, class Body>
NE_TORCH_INLINE void with_optimizer(const UpdateOptions<typename V::T>& options, Body body) {
    switch (options.kind) {
        case Optimizer::sgd:
            return body(SgdStep<V>(options));
    }
}

template <class V>
void update(const UpdateOptions<typename V::T>& options, index_t rows, index_t cols,
            Matrix<const typename V::T> grad, Matrix<typename V::T> param, typename V::T* const* state) {
    using T = typename V::T;
    const V weight_decay = V::broadcast(options.weight_decay);
    with_optimizer<V>(options, [&](auto step) {
        for_each_chunk<V>(rows, cols, [&](index_t i, index_t j, auto lanes) {
            T* const p = param.at(i, j);
            const StateAt<V, decltype(lanes)> states{state, p - param.data, lanes};
            const V old = lanes.load(p);
            V g = lanes.load(grad.at(i, j));
            if (options.maximize) g = V::broadcast(0) - g;
            if (options.weight_decay != T(0)) g = V::fma(weight_decay, old, g);
            lanes.store(p, step(old, g, states));
        });
    });
}

}  // namespace ne_torch
