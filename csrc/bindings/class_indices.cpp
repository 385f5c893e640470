#include "bindings/class_indices.hpp"

#include <utility>

namespace ne_torch {

py::array_t<std::int64_t> class_indices(const py::array& target, const std::vector<py::ssize_t>& shape,
                                        index_t classes, index_t ignore_index, const char* place) {
    const std::vector<py::ssize_t> found(target.shape(), target.shape() + target.ndim());
    const char kind = target.dtype().kind();
    if (found != shape) {
        throw py::value_error(std::string(place) + ": expected target of shape " + shape_text(shape) +
                              ", a class for each sample, got " + shape_text(found));
    }
    if (kind != 'i' && kind != 'u' && target.size() > 0) {
        throw py::type_error(std::string(place) +
                             ": expected target as integers, the class of each sample, got " +
                             py::str(static_cast<py::handle>(target.dtype())).cast<std::string>() +
                             "; convert it with target.astype(\"int64\")");
    }
    // what int64 cannot hold wraps to a negative number, and is no class
    auto indices = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>::ensure(target);
    for (py::ssize_t i = 0; i < indices.size(); ++i) {
        const std::int64_t index = indices.data()[i];
        if (index == ignore_index || (index >= 0 && index < classes)) continue;
        throw py::value_error(std::string(place) + ": expected classes from 0 to " +
                              std::to_string(classes - 1) + ", or ignore_index " +
                              std::to_string(ignore_index) + ", got " + std::to_string(index) +
                              " at position " + std::to_string(i));
    }
    return py::array_t<std::int64_t>(std::move(indices));
}

}  // namespace ne_torch
