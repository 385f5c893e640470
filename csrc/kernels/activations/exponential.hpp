// Activations made of exponentials, each with its derivative right below its value (torch's formulas):
//
//   ELU, alpha      y = x > 0 ? x : alpha expm1(x)               g = x > 0 ? grad : grad (alpha exp(x))
//   SELU            y = x > 0 ? scale x : (scale alpha) expm1(x)
//                   g = x > 0 ? grad scale : grad ((scale alpha) exp(x))
//   Softplus, beta, threshold    with t = beta x
//                   y = t > threshold ? x : (max(t, 0) + log1p(exp(-|t|))) / beta
//                   g = t > threshold ? grad : grad sigmoid(t)
//
// torch computes log(1 + exp(t)) in softplus as it stands; the other form is the same number and never
// overflows.
#pragma once

#include "kernels/activations/functor.hpp"
#include "kernels/elementary/exp.hpp"
#include "kernels/elementary/expm1.hpp"
#include "kernels/elementary/log.hpp"
#include "kernels/elementary/sigmoid.hpp"

namespace ne_torch {

template <class V>
struct Functor<V, Activation::elu> {
    explicit Functor(const OptionsOf<V>& options) : alpha(V::broadcast(options.first)) {}
    V forward(V x) const { return V::where_less(V::broadcast(0), x, x, alpha * expm1(x)); }
    V backward(V grad_output, V x) const {
        return V::where_less(V::broadcast(0), x, grad_output, grad_output * (alpha * exp(x)));
    }
    V alpha;
};

// The numbers are those of Klambauer et al., Self-Normalizing Neural Networks (2017).
template <class V>
struct Functor<V, Activation::selu> {
    using T = typename V::T;
    static constexpr double scale = 1.0507009873554804934193349852946;
    static constexpr double alpha = 1.6732632423543772848170429916717;

    explicit Functor(const OptionsOf<V>&)
        : positive(V::broadcast(T(scale))), negative(V::broadcast(T(scale * alpha))) {}
    V forward(V x) const { return V::where_less(V::broadcast(0), x, positive * x, negative * expm1(x)); }
    V backward(V grad_output, V x) const {
        return V::where_less(V::broadcast(0), x, grad_output * positive, grad_output * (negative * exp(x)));
    }
    V positive, negative;
};

template <class V>
struct Functor<V, Activation::softplus> {
    explicit Functor(const OptionsOf<V>& options)
        : beta(V::broadcast(options.first)), threshold(V::broadcast(options.second)) {}
    V forward(V x) const {
        const V t = beta * x;
        const V smooth = V::max(V::broadcast(0), t) + log1p(exp(minus_abs(t)));
        return V::where_less(threshold, t, x, smooth / beta);
    }
    V backward(V grad_output, V x) const {
        const V t = beta * x;
        return V::where_less(threshold, t, grad_output, grad_output * sigmoid(t));
    }
    V beta, threshold;
};

}  // namespace ne_torch
