// What an activation is: a functor made from its options, with its value and, right below, its derivative.
//
//   V forward(V x) const
//   V backward(V grad_output, V saved) const      saved is the output where keeps_output(kind), else the
//   input
#pragma once

#include "core/activation_options.hpp"
#include "core/compiler.hpp"

namespace ne_torch {

template <class V, Activation kind>
struct Functor;

// The activation of a functor.
template <class F>
inline constexpr Activation kActivationOf = Activation::identity;
template <class V, Activation kind>
inline constexpr Activation kActivationOf<Functor<V, kind>> = kind;

template <class V>
using OptionsOf = ActivationOptions<typename V::T>;

}  // namespace ne_torch
