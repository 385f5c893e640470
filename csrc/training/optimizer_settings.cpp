#include "training/optimizer_settings.hpp"

namespace ne_torch {

template <class T>
UpdateOptions<T> OptimizerSettings::at_step(std::int64_t step) const {
    UpdateOptions<T> options;
    options.kind = kind;
    options.maximize = maximize;
    options.lr = static_cast<T>(lr);
    options.weight_decay = static_cast<T>(weight_decay);
    options.momentum = static_cast<T>(momentum);
    options.intake = static_cast<T>(step == 1 ? 1 : 1 - dampening);
    options.nesterov = nesterov;
    return options;
}

bool OptimizerSettings::wants_state(int i) const {
    switch (kind) {
        case Optimizer::sgd:
            return i == 0 && momentum != 0;
    }
    return false;
}

template UpdateOptions<float> OptimizerSettings::at_step(std::int64_t) const;
template UpdateOptions<double> OptimizerSettings::at_step(std::int64_t) const;

}  // namespace ne_torch
