// Checks of hyperparameters against the dtype they are rounded to.
#pragma once

#include <cmath>

#include "bindings/arrays.hpp"
#include "training/plan.hpp"

namespace ne_torch {

inline void require_finite_in(Dtype dtype, const SgdSettings& settings, const char* place) {
    with_type(dtype, [&](auto type) {
        const auto rounded = settings.rounded<decltype(type)>();
        if (std::isfinite(rounded.lr) && std::isfinite(rounded.momentum) &&
            std::isfinite(rounded.weight_decay))
            return;
        throw py::value_error(
            std::string(place) + ": expected hyperparameters that are finite in " + name_of(dtype) +
            ", got lr=" + py::repr(py::float_(settings.lr)).cast<std::string>() +
            ", momentum=" + py::repr(py::float_(settings.momentum)).cast<std::string>() +
            ", weight_decay=" + py::repr(py::float_(settings.weight_decay)).cast<std::string>());
    });
}

}  // namespace ne_torch
