// Features in bytes with a scale and a shift for each: what ne_torch.data.Scaled hands to the engine.
#pragma once

#include <string>
#include <vector>

#include "bindings/arrays.hpp"
#include "training/gather.hpp"

namespace ne_torch {

class ScaledBytes {
  public:
    // scale and shift decide the dtype that the bytes become.
    ScaledBytes(py::array bytes, py::handle scale, py::handle shift)
        : bytes_(std::move(bytes)),
          scale_(input_array(scale, "Scaled", "scale")),
          shift_(input_array(shift, "Scaled", "shift", scale_.dtype())) {
        const bool right = bytes_.dtype().kind() == 'u' && bytes_.itemsize() == 1 && bytes_.ndim() > 0 &&
                           (bytes_.flags() & py::array::c_style) != 0 && scale_.size() == last() &&
                           shift_.size() == last();
        if (!right) {
            throw py::value_error(
                "Scaled: expected C-contiguous uint8 with a scale and a shift for each of the last axis, got "
                "an array of shape " +
                shape_text(shape()));
        }
    }

    std::vector<py::ssize_t> shape() const { return {bytes_.shape(), bytes_.shape() + bytes_.ndim()}; }
    index_t last() const { return static_cast<index_t>(bytes_.shape(bytes_.ndim() - 1)); }
    Dtype dtype() const { return scale_.dtype(); }

    template <class T>
    Features<T> features() const {
        return {nullptr, static_cast<const std::uint8_t*>(bytes_.data()), scale_.data<T>(), shift_.data<T>()};
    }

  private:
    py::array bytes_;
    Array scale_;
    Array shift_;
};

}  // namespace ne_torch
