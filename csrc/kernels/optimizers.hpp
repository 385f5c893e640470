// Updates of parameters, element by element; used by sgd_update and by the store of grad_weight.
//
//   SGD (torch.optim.SGD, dampening 0):
//     g        = weight_decay == 0 ? grad : fma(weight_decay, param, grad)
//     velocity = fma(momentum, velocity, g)                  velocity starts at +0
//     d        = momentum == 0 ? g : nesterov ? fma(momentum, velocity, g) : velocity
//     param    = fma(-lr, d, param)
#pragma once

#include "core/gemm_args.hpp"
#include "core/views.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
class SgdStep {
  public:
    using T = typename V::T;

    explicit SgdStep(const SgdOptions<T>& options)
        : minus_lr_(V::broadcast(-options.lr)),
          momentum_(V::broadcast(options.momentum)),
          weight_decay_(V::broadcast(options.weight_decay)),
          has_momentum_(options.momentum != T(0)),
          has_weight_decay_(options.weight_decay != T(0)),
          nesterov_(options.nesterov) {}

    bool plain() const { return !has_momentum_ && !has_weight_decay_; }

    V descend(V param, V direction) const { return V::fma(minus_lr_, direction, param); }

    // lanes: how the vector at param and velocity is loaded and stored (whole, or masked)
    template <class Lanes>
    void update(T* param, T* velocity, V grad, Lanes lanes) const {
        const V old = lanes.load(param);
        V direction = has_weight_decay_ ? V::fma(weight_decay_, old, grad) : grad;
        if (has_momentum_) {
            const V speed = V::fma(momentum_, lanes.load(velocity), direction);
            lanes.store(velocity, speed);
            direction = nesterov_ ? V::fma(momentum_, speed, direction) : speed;
        }
        lanes.store(param, descend(old, direction));
    }

  private:
    V minus_lr_, momentum_, weight_decay_;
    bool has_momentum_, has_weight_decay_, nesterov_;
};

template <class V>
void sgd_update(index_t n, const SgdOptions<typename V::T>& options, const typename V::T* grad,
                typename V::T* velocity, typename V::T* param) {
    const SgdStep<V> sgd(options);
    for_each_chunk<V>(n, [&](index_t i, auto lanes) {
        sgd.update(param + i, velocity ? velocity + i : nullptr, lanes.load(grad + i), lanes);
    });
}

}  // namespace ne_torch
