// Element-wise activations: one functor each, its derivative right below its value.
//
//   ReLU   y = 0 > x ? 0 : x            a NaN stays NaN
//          g = x <= 0 ? 0 : grad        the mask is x > 0, so the gradient at 0 is 0; NaN lets it through
//          (torch)
#pragma once

#include "core/compiler.hpp"
#include "core/names.hpp"
#include "core/views.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

template <class V>
struct Identity {
    static V forward(V x) { return x; }
    static V backward(V grad_output, V) { return grad_output; }
};

// The sign of the output is that of the input, so either may be given to backward.
template <class V>
struct Relu {
    static V forward(V x) { return V::max(V::broadcast(0), x); }
    static V backward(V grad_output, V x) { return V::zero_where_not_positive(x, grad_output); }
};

// Calls body with the functor of the activation.
template <class V, class Body>
NE_TORCH_INLINE void with_activation(Activation kind, Body body) {
    switch (kind) {
        case Activation::identity:
            return body(Identity<V>{});
        case Activation::relu:
            return body(Relu<V>{});
    }
}

template <class V>
void activation_forward(Activation kind, index_t rows, index_t cols, Matrix<const typename V::T> input,
                        Matrix<typename V::T> output) {
    with_activation<V>(kind, [&](auto function) {
        for_each_chunk<V>(rows, cols, [&](index_t i, index_t j, auto lanes) {
            lanes.store(output.at(i, j), function.forward(lanes.load(input.at(i, j))));
        });
    });
}

template <class V>
void activation_backward(Activation kind, index_t rows, index_t cols, Matrix<const typename V::T> grad_output,
                         Matrix<const typename V::T> input, Matrix<typename V::T> grad_input) {
    with_activation<V>(kind, [&](auto function) {
        for_each_chunk<V>(rows, cols, [&](index_t i, index_t j, auto lanes) {
            const V grad = lanes.load(grad_output.at(i, j));
            lanes.store(grad_input.at(i, j), function.backward(grad, lanes.load(input.at(i, j))));
        });
    });
}

}  // namespace ne_torch
