// Cross-entropy of logits, softmax and logarithm in one: stable, and without a probability that could be 0.
// Lanes are samples; x are the logits, u[c] is how much the target has of class c.
//
//   m = max x,   nll[c] = log(sum over c of exp(x[c] - m)) - (x[c] - m)         minus log-softmax
//   loss    = chain over c, in float64, of u[c] nll[c]
//   grad[c] = factor (U s[c] - u[c]),   s = softmax(x),   U = sum over c of u[c]
//
//   target of probabilities q     u[c] = weight[c] (keep q[c] + share)
//   target of a class t           u[c] = share weight[c],  and for c = t also keep weight[t], taken up last
//   keep = 1 - label_smoothing,   share = label_smoothing / classes
//
// A sample whose class is ignore_index has the loss 0 and the gradient 0, whatever its logits.
#pragma once

#include <cmath>

#include "core/compiler.hpp"
#include "core/loss_args.hpp"
#include "kernels/elementary/exp.hpp"
#include "kernels/elementary/log.hpp"
#include "kernels/lanes.hpp"
#include "kernels/losses/factors.hpp"

namespace ne_torch {

template <class V>
class TargetMass {
  public:
    using T = typename V::T;

    explicit TargetMass(const LossArgs<T>& args)
        : weight_(args.options->weight),
          smooth_(args.options->label_smoothing != T(0)),
          keep_(T(1) - args.options->label_smoothing),
          share_(args.options->label_smoothing / static_cast<T>(args.classes)) {}

    bool smooth() const { return smooth_; }
    T weight(index_t c) const { return weight_ ? weight_[c] : T(1); }
    T share(index_t c) const { return share_ * weight(c); }  // that every sample gives class c
    T keep(index_t c) const { return keep_ * weight(c); }    // that a sample of class c adds
    V of(index_t c, V probability) const {
        if (smooth_) probability = V::fma(probability, V::broadcast(keep_), V::broadcast(share_));
        return weight_ ? V::broadcast(weight_[c]) * probability : probability;
    }

  private:
    const T* weight_;
    bool smooth_;
    T keep_, share_;
};

template <class V, class Lanes>
NE_TORCH_INLINE V highest_logit(const LossArgs<typename V::T>& args, index_t j, Lanes lanes) {
    V highest = lanes.load(args.prediction.at(0, j));
    for (index_t c = 1; c < args.classes; ++c)
        highest = V::max(highest, lanes.load(args.prediction.at(c, j)));
    return highest;
}

// The losses of one vector of samples. sum: of the exponentials
template <class V, class Lanes>
NE_TORCH_INLINE void sample_losses(const LossArgs<typename V::T>& args, const TargetMass<V>& mass, index_t j,
                                   Lanes lanes, V highest, V sum) {
    using T = typename V::T;
    const V log_sum = log(sum);
    typename V::Totals totals;
    if (!args.indices || mass.smooth()) {
        for (index_t c = 0; c < args.classes; ++c) {
            const V u =
                args.indices ? V::broadcast(mass.share(c)) : mass.of(c, lanes.load(args.target.at(c, j)));
            totals.add_products(u, log_sum - (lanes.load(args.prediction.at(c, j)) - highest));
        }
    }
    if (!args.indices) return store_totals<V>(totals, args.count - j, args.loss + j);
    T highest_of[V::lanes], log_sum_of[V::lanes];
    double total[V::lanes];
    highest.store(highest_of);
    log_sum.store(log_sum_of);
    totals.store(total);
    for (index_t l = 0; l < V::lanes && j + l < args.count; ++l) {
        const index_t own = args.indices[j + l];
        double& loss = args.loss[j + l];
        if (own == args.options->ignore_index) {
            loss = 0;
        } else {
            const T nll = log_sum_of[l] - (*args.prediction.at(own, j + l) - highest_of[l]);
            loss = std::fma(static_cast<double>(mass.keep(own)), static_cast<double>(nll), total[l]);
        }
    }
}

// One vector of samples, whose exponentials lie in grad_input.
template <class V, class Lanes>
NE_TORCH_INLINE void probabilities_backward(const LossArgs<typename V::T>& args, const TargetMass<V>& mass,
                                            index_t j, Lanes lanes, V sum) {
    V whole = V::broadcast(0);
    for (index_t c = 0; c < args.classes; ++c) whole = whole + mass.of(c, lanes.load(args.target.at(c, j)));
    const V factor = loss_factor<V>(args, 0, j, lanes);
    for (index_t c = 0; c < args.classes; ++c) {
        const V s = lanes.load(args.grad_input.at(c, j)) / sum;
        const V u = mass.of(c, lanes.load(args.target.at(c, j)));
        lanes.store(args.grad_input.at(c, j), factor * V::fma(whole, s, V::broadcast(0) - u));
    }
}

// The same for classes: all samples are treated alike, then each is given the gradient of its own class.
template <class V, class Lanes>
NE_TORCH_INLINE void indices_backward(const LossArgs<typename V::T>& args, const TargetMass<V>& mass,
                                      typename V::T shares, index_t j, Lanes lanes, V sum) {
    using T = typename V::T;
    const index_t ignored = args.options->ignore_index;
    T whole_of[V::lanes] = {}, own_of[V::lanes] = {}, e_of[V::lanes] = {};
    const auto for_each_sample = [&](auto body) {
        for (index_t l = 0; l < V::lanes && j + l < args.count; ++l) body(l, args.indices[j + l]);
    };
    for_each_sample([&](index_t l, index_t own) {
        if (own == ignored) return;
        whole_of[l] = shares + mass.keep(own);
        own_of[l] = mass.share(own) + mass.keep(own);
        e_of[l] = *args.grad_input.at(own, j + l);
    });
    const V factor = loss_factor<V>(args, 0, j, lanes);
    const V whole = V::load(whole_of);
    const auto gradient = [&](V e, V u) { return factor * V::fma(whole, e / sum, V::broadcast(0) - u); };
    for (index_t c = 0; c < args.classes; ++c) {
        const V e = lanes.load(args.grad_input.at(c, j));
        lanes.store(args.grad_input.at(c, j), gradient(e, V::broadcast(mass.share(c))));
    }
    gradient(V::load(e_of), V::load(own_of)).store(own_of);
    for_each_sample([&](index_t l, index_t own) {
        if (own != ignored) {
            *args.grad_input.at(own, j + l) = own_of[l];
        } else {
            for (index_t c = 0; c < args.classes; ++c) *args.grad_input.at(c, j + l) = T(0);
        }
    });
}

// Losses, gradients, or both from the same exponentials.
template <class V>
NE_TORCH_INLINE void cross_entropy(const LossArgs<typename V::T>& args) {
    const TargetMass<V> mass(args);
    const bool wants_gradient = args.grad_input.data != nullptr;
    typename V::T shares = 0;
    for (index_t c = 0; c < args.classes; ++c) shares = shares + mass.share(c);
    for_each_chunk<V>(args.count, [&](index_t j, auto lanes) {
        const V highest = highest_logit<V>(args, j, lanes);
        V sum = V::broadcast(0);
        for (index_t c = 0; c < args.classes; ++c) {
            const V e = exp(lanes.load(args.prediction.at(c, j)) - highest);
            if (wants_gradient) lanes.store(args.grad_input.at(c, j), e);
            sum = sum + e;
        }
        if (args.loss) sample_losses<V>(args, mass, j, lanes, highest, sum);
        if (!wants_gradient) return;
        if (args.indices) {
            indices_backward<V>(args, mass, shares, j, lanes, sum);
        } else {
            probabilities_backward<V>(args, mass, j, lanes, sum);
        }
    });
}

}  // namespace ne_torch
