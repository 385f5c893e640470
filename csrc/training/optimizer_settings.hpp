// An optimizer's hyperparameters under torch's names, shared with the Python object, which may change them
// between steps; and what one step makes of them. Called by the engine and by the bindings.
#pragma once

#include <cstdint>

#include "core/names.hpp"
#include "core/update_options.hpp"

namespace ne_torch {

struct OptimizerSettings {
    Optimizer kind = Optimizer::sgd;
    double lr = 0;
    double weight_decay = 0;
    double momentum = 0;
    double dampening = 0;
    double beta1 = 0;
    double beta2 = 0;
    double alpha = 0;
    double eps = 0;
    double lr_decay = 0;
    bool nesterov = false;
    bool maximize = false;
    bool amsgrad = false;
    bool centered = false;
    bool decoupled_weight_decay = false;
    std::int64_t steps = 0;  // that have been taken

    // The numbers of step `step`, counted from 1.
    template <class T>
    UpdateOptions<T> at_step(std::int64_t step) const;

    // Whether the optimizer needs its state number i, in the order of kernels/optimizers.hpp.
    bool wants_state(int i) const;
};

// An optimizer reads its own; a hyperparameter that is new to all of them is a line above and a line here.
inline constexpr Named<double OptimizerSettings::*> kNumbers[] = {
    {&OptimizerSettings::lr, "lr"},
    {&OptimizerSettings::weight_decay, "weight_decay"},
    {&OptimizerSettings::momentum, "momentum"},
    {&OptimizerSettings::dampening, "dampening"},
    {&OptimizerSettings::beta1, "beta1"},
    {&OptimizerSettings::beta2, "beta2"},
    {&OptimizerSettings::alpha, "alpha"},
    {&OptimizerSettings::eps, "eps"},
    {&OptimizerSettings::lr_decay, "lr_decay"},
};
inline constexpr Named<bool OptimizerSettings::*> kFlags[] = {
    {&OptimizerSettings::nesterov, "nesterov"},
    {&OptimizerSettings::maximize, "maximize"},
    {&OptimizerSettings::amsgrad, "amsgrad"},
    {&OptimizerSettings::centered, "centered"},
    {&OptimizerSettings::decoupled_weight_decay, "decoupled_weight_decay"},
};

}  // namespace ne_torch
