// The numbers of a step, computed in float64 and rounded once:
//
//   Adam     lr / (1 - beta1^t),  root_scale = 1 / sqrt(1 - beta2^t)
//   Adagrad  lr / (1 + (t - 1) lr_decay)
//
// Powers by squaring, in this order and without libm, so that every machine has the same.
#include "training/optimizer_settings.hpp"

#include <cmath>

namespace ne_torch {
namespace {

double power(double base, std::int64_t exponent) {
    double result = 1;
    for (; exponent > 0; exponent /= 2) {
        if (exponent % 2 == 1) result *= base;
        base *= base;
    }
    return result;
}

}  // namespace

template <class T>
UpdateOptions<T> OptimizerSettings::at_step(std::int64_t step) const {
    const auto rounded = [](double value) { return static_cast<T>(value); };
    UpdateOptions<T> options;
    options.kind = kind;
    options.maximize = maximize;
    options.lr = rounded(lr);
    options.weight_decay = decoupled_weight_decay ? T(0) : rounded(weight_decay);
    options.shrink = decoupled_weight_decay ? rounded(1 - lr * weight_decay) : T(1);
    options.momentum = rounded(momentum);
    options.eps = rounded(eps);
    switch (kind) {
        case Optimizer::sgd:
            options.intake = rounded(step == 1 ? 1 : 1 - dampening);
            options.nesterov = nesterov;
            break;
        case Optimizer::adam:
            options.lr = rounded(lr / (1 - power(beta1, step)));
            options.first_share = rounded(1 - beta1);
            options.second_kept = rounded(beta2);
            options.second_share = rounded(1 - beta2);
            options.root_scale = rounded(1 / std::sqrt(1 - power(beta2, step)));
            options.largest = amsgrad;
            break;
        case Optimizer::rmsprop:
            options.first_share = options.second_share = rounded(1 - alpha);
            options.second_kept = rounded(alpha);
            options.centered = centered;
            break;
        case Optimizer::adagrad:
            options.lr = rounded(lr / (1 + static_cast<double>(step - 1) * lr_decay));
            break;
    }
    return options;
}

bool OptimizerSettings::wants_state(int i) const {
    switch (kind) {
        case Optimizer::sgd:
            return i == 0 && momentum != 0;
        case Optimizer::adam:
            return i < 2 || (i == 2 && amsgrad);
        case Optimizer::rmsprop:
            return i == 0 || (i == 1 && momentum != 0) || (i == 2 && centered);
        case Optimizer::adagrad:
            return i == 0;
    }
    return false;
}

template UpdateOptions<float> OptimizerSettings::at_step(std::int64_t) const;
template UpdateOptions<double> OptimizerSettings::at_step(std::int64_t) const;

}  // namespace ne_torch
