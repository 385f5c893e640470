// The numbers of one update of the parameters, whatever the optimizer, rounded to the dtype of the
// parameters. training/optimizer_settings.* makes them, kernels/optimizers.hpp says what each optimizer does
// with its own.
#pragma once

#include "core/names.hpp"

namespace ne_torch {

// What an optimizer remembers of a parameter: so many arrays of its shape at most.
inline constexpr int kMaxStates = 3;

template <class T>
struct UpdateOptions {
    Optimizer kind = Optimizer::sgd;
    bool maximize = false;
    T lr = 0;
    T weight_decay = 0;
    T momentum = 0;
    T intake = 1;  // the share of the gradient that enters the velocity
    bool nesterov = false;
};

}  // namespace ne_torch
