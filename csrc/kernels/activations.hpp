// Element-wise activations on matrices; kernels/activations/ has a functor for each. Called through the
// table.
#pragma once

#include <cstddef>

#include "core/views.hpp"
#include "kernels/activations/exponential.hpp"
#include "kernels/activations/rectifiers.hpp"
#include "kernels/activations/sigmoidal.hpp"
#include "kernels/lanes.hpp"
#include "kernels/vector_group.hpp"

namespace ne_torch {

// Calls body with the functor of the activation; every name in core/names.hpp has to have one.
template <class V, std::size_t i = 0, class Body>
NE_TORCH_INLINE void with_activation(const OptionsOf<V>& options, Body body) {
    if constexpr (i < sizeof(kActivations) / sizeof(kActivations[0])) {
        constexpr Activation kind = kActivations[i].value;
        if (options.kind == kind) return body(Functor<V, kind>(options));
        with_activation<V, i + 1>(options, body);
    }
}

// Those whose values are long chains of steps, see vector_group.hpp.
constexpr bool has_long_chain(Activation kind) {
    switch (kind) {
        case Activation::sigmoid:
        case Activation::tanh:
        case Activation::silu:
        case Activation::gelu:
        case Activation::gelu_tanh:
            return true;
        default:
            return false;
    }
}

// The values of as many columns of a row as fill groups of vectors. Returns how many.
template <class V, Activation kind>
NE_TORCH_INLINE index_t forward_by_groups(const OptionsOf<V>& options, index_t cols,
                                          const typename V::T* input, typename V::T* output) {
    using Group = VectorGroup<V, kSideBySide<V>>;
    const Functor<Group, kind> function(options);
    index_t j = 0;
    for (; j + Group::lanes <= cols; j += Group::lanes) {
        function.forward(Group::load(input + j)).store(output + j);
    }
    return j;
}

template <class V>
void activation_forward(const OptionsOf<V>& options, index_t rows, index_t cols,
                        Matrix<const typename V::T> input, Matrix<typename V::T> output) {
    with_activation<V>(options, [&](auto function) {
        constexpr Activation kind = kActivationOf<decltype(function)>;
        for (index_t i = 0; i < rows; ++i) {
            const auto *from = input.at(i, 0), *end = from + cols;
            auto* to = output.at(i, 0);
            if constexpr (kSideBySide<V> > 1 && has_long_chain(kind)) {
                const index_t done = forward_by_groups<V, kind>(options, cols, from, to);
                from += done, to += done;
            }
            for_each_chunk<V>(end - from, [=](index_t j, auto lanes) {
                lanes.store(to + j, function.forward(lanes.load(from + j)));
            });
        }
    });
}

template <class V>
void activation_backward_saved(const OptionsOf<V>& options, index_t rows, index_t cols,
                               Matrix<const typename V::T> grad_output, Matrix<const typename V::T> saved,
                               Matrix<typename V::T> grad_input) {
    with_activation<V>(options, [&](auto function) {
        for_each_chunk<V>(rows, cols, [=](index_t i, index_t j, auto lanes) {
            const V grad = lanes.load(grad_output.at(i, j));
            lanes.store(grad_input.at(i, j), function.backward(grad, lanes.load(saved.at(i, j))));
        });
    });
}

// From the input: where the derivative wants the output it is computed again, to the same bits.
template <class V>
void activation_backward(const OptionsOf<V>& options, index_t rows, index_t cols,
                         Matrix<const typename V::T> grad_output, Matrix<const typename V::T> input,
                         Matrix<typename V::T> grad_input) {
    if (!keeps_output(options.kind)) {
        return activation_backward_saved<V>(options, rows, cols, grad_output, input, grad_input);
    }
    with_activation<V>(options, [&](auto function) {
        if constexpr (keeps_output(kActivationOf<decltype(function)>)) {
            for_each_chunk<V>(rows, cols, [=](index_t i, index_t j, auto lanes) {
                const V grad = lanes.load(grad_output.at(i, j));
                const V y = function.forward(lanes.load(input.at(i, j)));
                lanes.store(grad_input.at(i, j), function.backward(grad, y));
            });
        }
    });
}

}  // namespace ne_torch
