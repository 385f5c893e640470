// What a loss is given beside the prediction, checked: a target or class indices, and weights of samples.
#pragma once

#include <optional>
#include <vector>

#include "bindings/arrays.hpp"
#include "functional/losses.hpp"

namespace ne_torch {

class LossOperands {
  public:
    using Shape = std::vector<py::ssize_t>;

    // What messages call the prediction, and what the operands have to fit.
    struct Place {
        const char* place;
        const char* prediction;
        const Shape& shape;  // the last axis holds the elements or classes of a sample
        Dtype dtype;
    };

    LossOperands(const LossSettings& settings, py::handle target, py::handle sample_weight,
                 const Place& place);

    index_t rows() const { return rows_; }
    index_t classes() const { return classes_; }
    const std::optional<Array>& target() const { return target_; }
    template <class T>
    LossBatch<T> batch(const T* prediction) const {
        return {rows_,
                classes_,
                prediction,
                target_ ? target_->data<T>() : nullptr,
                indices_ ? indices_->data() : nullptr,
                sample_weight_ ? sample_weight_->data<T>() : nullptr};
    }

  private:
    void take_class_target(const LossSettings& settings, py::handle target, const Place& place);
    void take_sample_weight(py::handle sample_weight, const Place& place, bool of_elements);

    index_t rows_ = 1;
    index_t classes_ = 1;
    std::optional<Array> target_;
    std::optional<py::array_t<std::int64_t>> indices_;  // contiguous
    std::optional<Array> sample_weight_;
};

}  // namespace ne_torch
