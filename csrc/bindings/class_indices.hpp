// Classes as integers: checked, and viewed or copied as contiguous int64.
#pragma once

#include <vector>

#include "bindings/arrays.hpp"

namespace ne_torch {

// Each from 0 to classes - 1, or ignore_index.
py::array_t<std::int64_t> class_indices(const py::array& target, const std::vector<py::ssize_t>& shape,
                                        index_t classes, index_t ignore_index, const char* place);

}  // namespace ne_torch
