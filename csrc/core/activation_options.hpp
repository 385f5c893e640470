// An element-wise activation with its two numbers, rounded to the dtype of the arithmetic; what they mean
// stands beside each functor in kernels/activations/.
#pragma once

#include "core/names.hpp"

namespace ne_torch {

template <class T>
struct ActivationOptions {
    Activation kind = Activation::identity;
    T first = 0;
    T second = 0;
};

}  // namespace ne_torch
