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
    T gradient_scale = 1;  // clipping, of all gradients by their norm ...
    T gradient_limit = 0;  // ... or of each element's magnitude; 0: none
    bool maximize = false;
    T weight_decay = 0;  // of the gradient
    T shrink = 1;        // of the parameter itself: decoupled weight decay
    T lr = 0;            // what the direction is multiplied by, corrections of the step included

    T momentum = 0;
    T intake = 1;  // the share of the gradient that enters the velocity
    bool nesterov = false;

    T first_share = 0;   // of the gradient, in its running mean
    T second_kept = 0;   // of the running mean of squares, from step to step
    T second_share = 0;  // of the squared gradient, in that mean
    T root_scale = 1;    // of the mean's square root
    T eps = 0;
    bool largest = false;   // divide by the largest mean of squares so far
    bool centered = false;  // the mean of squares is taken about the mean
};

}  // namespace ne_torch
