// Piecewise linear activations, each with its derivative right below its value (torch's formulas):
//
//   Identity               y = x                        g = grad
//   ReLU                   y = 0 > x ? 0 : x            g = y <= 0 ? 0 : grad        NaN lets grad through
//   LeakyReLU, slope       y = x > 0 ? x : slope x      g = x > 0 ? grad : slope grad
//   Hardtanh, low, high    y = x within [low, high]     g = low < x < high ? grad : 0
#pragma once

#include "kernels/activations/functor.hpp"

namespace ne_torch {

template <class V>
struct Functor<V, Activation::identity> {
    explicit Functor(const OptionsOf<V>&) {}
    V forward(V x) const { return x; }
    V backward(V grad_output, V) const { return grad_output; }
};

// The sign of the output is that of the input: a kernel may give either to backward.
template <class V>
struct Functor<V, Activation::relu> {
    explicit Functor(const OptionsOf<V>&) {}
    V forward(V x) const { return V::max(V::broadcast(0), x); }
    V backward(V grad_output, V y) const { return V::zero_where_not_positive(y, grad_output); }
};

template <class V>
struct Functor<V, Activation::leaky_relu> {
    explicit Functor(const OptionsOf<V>& options) : slope(V::broadcast(options.first)) {}
    V forward(V x) const { return V::where_less(V::broadcast(0), x, x, slope * x); }
    V backward(V grad_output, V x) const {
        return V::where_less(V::broadcast(0), x, grad_output, slope * grad_output);
    }
    V slope;
};

template <class V>
struct Functor<V, Activation::hardtanh> {
    explicit Functor(const OptionsOf<V>& options)
        : low(V::broadcast(options.first)), high(V::broadcast(options.second)) {}
    V forward(V x) const { return V::min(high, V::max(low, x)); }
    V backward(V grad_output, V x) const {
        const V zero = V::broadcast(0);
        return V::where_less(low, x, V::where_less(x, high, grad_output, zero), zero);
    }
    V low, high;
};

}  // namespace ne_torch
