// Sigmoid, tanh, and the identity gated by a sigmoid, each with its derivative right below its value (torch's
// formulas):
//
//   Sigmoid      y = sigmoid(x)               g = (grad (1 - y)) y
//   Tanh         y = tanh(x)                  g = grad (1 - y y)
//   SiLU         y = x s,  s = sigmoid(x)     g = grad (s (1 + x (1 - s)))
//   GELU         y = (x / 2) (1 + erf(x / sqrt 2))
//                g = grad (1/2 (1 + erf(x / sqrt 2)) + x exp(-x x / 2) / sqrt(2 pi))
//   GELU, tanh   y = (x / 2) (1 + t),  t = tanh(b (x + k x^3)),  b = sqrt(2 / pi),  k = 0.044715
//                g = grad ((1 + t) / 2 + (x / 2) (1 - t t) b (1 + 3 k x^2))
#pragma once

#include "kernels/activations/functor.hpp"
#include "kernels/elementary/erf.hpp"
#include "kernels/elementary/sigmoid.hpp"
#include "kernels/elementary/tanh.hpp"

namespace ne_torch {

template <class V>
struct Functor<V, Activation::sigmoid> {
    explicit Functor(const OptionsOf<V>&) {}
    NE_TORCH_INLINE V forward(V x) const { return sigmoid(x); }
    V backward(V grad_output, V y) const { return grad_output * (V::broadcast(1) - y) * y; }
};

// 1 - y y, rounded once
template <class V>
NE_TORCH_INLINE V tanh_derivative(V y) {
    return V::fma(V::broadcast(0) - y, y, V::broadcast(1));
}

template <class V>
struct Functor<V, Activation::tanh> {
    explicit Functor(const OptionsOf<V>&) {}
    NE_TORCH_INLINE V forward(V x) const { return tanh(x); }
    V backward(V grad_output, V y) const { return grad_output * tanh_derivative(y); }
};

template <class V>
struct Functor<V, Activation::silu> {
    explicit Functor(const OptionsOf<V>&) {}
    NE_TORCH_INLINE V forward(V x) const { return x * sigmoid(x); }
    V backward(V grad_output, V x) const {
        const V one = V::broadcast(1), s = sigmoid(x);
        return grad_output * (s * V::fma(x, one - s, one));
    }
};

template <class V>
struct Functor<V, Activation::gelu> {
    using T = typename V::T;
    explicit Functor(const OptionsOf<V>&) {}
    NE_TORCH_INLINE V forward(V x) const { return V::broadcast(T(0.5)) * x * one_plus_erf(x); }
    V backward(V grad_output, V x) const {
        const V half = V::broadcast(T(0.5));
        const V density = V::broadcast(T(0.39894228040143267794)) * exp(V::broadcast(0) - half * x * x);
        return grad_output * V::fma(x, density, half * one_plus_erf(x));
    }

  private:
    static NE_TORCH_INLINE V one_plus_erf(V x) {
        return V::broadcast(1) + erf(x * V::broadcast(T(0.70710678118654752440)));
    }
};

template <class V>
struct Functor<V, Activation::gelu_tanh> {
    using T = typename V::T;
    static constexpr double b = 0.79788456080286535588, k = 0.044715;
    explicit Functor(const OptionsOf<V>&) {}
    NE_TORCH_INLINE V forward(V x) const {
        return V::broadcast(T(0.5)) * x * (V::broadcast(1) + inner_tanh(x));
    }
    V backward(V grad_output, V x) const {
        const V half = V::broadcast(T(0.5)), one = V::broadcast(1), t = inner_tanh(x);
        const V slope = V::broadcast(T(b)) * V::fma(V::broadcast(T(3 * k)) * x, x, one);
        return grad_output * V::fma(half * x * tanh_derivative(t), slope, half * (one + t));
    }

  private:
    static NE_TORCH_INLINE V inner_tanh(V x) {
        return tanh(V::broadcast(T(b)) * V::fma(V::broadcast(T(k)) * x * x, x, x));
    }
};

}  // namespace ne_torch
