// The error for a number that is no code, in the words of TabularEmbedding.forward.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>

#include "functional/codes.hpp"

namespace ne_torch {

template <class T>
void require_codes(const std::optional<WrongCode<T>>& wrong) {
    namespace py = pybind11;
    if (!wrong) return;
    throw py::value_error("TabularEmbedding: expected codes from 0 to " + std::to_string(wrong->last) +
                          " in column " + std::to_string(wrong->column) + ", got " +
                          py::str(py::float_(static_cast<double>(wrong->value))).cast<std::string>());
}

}  // namespace ne_torch
