// Checks of hyperparameters against the dtype they are rounded to.
#pragma once

#include <cmath>

#include "bindings/arrays.hpp"
#include "training/optimizer_settings.hpp"

namespace ne_torch {

inline void require_finite_in(Dtype dtype, const OptimizerSettings& settings, const char* place) {
    with_type(dtype, [&](auto type) {
        for (const auto& number : kNumbers) {
            const double value = settings.*number.value;
            if (std::isfinite(static_cast<decltype(type)>(value))) continue;
            throw py::value_error(std::string(place) + ": expected hyperparameters that are finite in " +
                                  name_of(dtype) + ", got " + number.name + "=" +
                                  py::repr(py::float_(value)).cast<std::string>());
        }
    });
}

}  // namespace ne_torch
