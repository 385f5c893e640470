#include "bindings/loss_operands.hpp"

#include <cmath>

#include "bindings/class_indices.hpp"

namespace ne_torch {
namespace {

void require_classes(const std::vector<double>& weight, const char* name, bool one_for_all, index_t classes,
                     const char* place) {
    const auto size = static_cast<index_t>(weight.size());
    if (size == 0 || size == classes || (one_for_all && size == 1)) return;
    throw py::value_error(std::string(place) + ": expected " + name + " of shape (" +
                          std::to_string(classes) + ",), a number for each class, got (" +
                          std::to_string(size) + ",)");
}

template <class T>
void require_not_negative(const Array& weights, const char* place) {
    for (index_t i = 0; i < weights.size(); ++i) {
        const auto value = static_cast<double>(weights.data<T>()[i]);
        if (value >= 0 && std::isfinite(value)) continue;
        throw py::value_error(std::string(place) + ": expected finite sample_weight >= 0, got " +
                              py::str(py::float_(value)).cast<std::string>() + " at position " +
                              std::to_string(i));
    }
}

}  // namespace

LossOperands::LossOperands(const LossSettings& settings, py::handle target, py::handle sample_weight,
                           const Place& place) {
    for (std::size_t axis = 0; axis + 1 < place.shape.size(); ++axis) rows_ *= place.shape[axis];
    if (!place.shape.empty()) classes_ = place.shape.back();
    const bool class_wise = is_class_wise(settings.kind());
    if (class_wise) {
        take_class_target(settings, target, place);
    } else {
        target_ = input_array(target, place.place, "target", place.dtype);
        require_shape(*target_, place.shape, place.place, "target", place.prediction);
    }
    if (!sample_weight.is_none()) take_sample_weight(sample_weight, place, !class_wise);
    require_classes(settings.weight(), "weight", !class_wise, classes_, place.place);
    require_classes(settings.pos_weight(), "pos_weight", !class_wise, classes_, place.place);
}

// Class indices, one for each sample; or, where the loss takes them, probabilities in the prediction's shape.
void LossOperands::take_class_target(const LossSettings& settings, py::handle target, const Place& place) {
    if (place.shape.empty() || classes_ == 0) {
        throw py::value_error(std::string(place.place) + ": expected " + place.prediction +
                              " of shape (..., classes) with at least one class, got " +
                              shape_text(place.shape));
    }
    const bool takes_probabilities = settings.kind() == Loss::cross_entropy;
    const py::array view = numpy_view(target, place.place, "target");
    const Shape shape(view.shape(), view.shape() + view.ndim());
    if (takes_probabilities && shape == place.shape) {
        const index_t ignored = settings.options<double>().ignore_index;
        if (ignored >= 0) {
            throw py::value_error(std::string(place.place) +
                                  ": expected class indices, for ignore_index is " + std::to_string(ignored) +
                                  ", got probabilities of shape " + shape_text(shape));
        }
        target_ = input_array(target, place.place, "target", place.dtype);
        return;
    }
    const Shape wanted(place.shape.begin(), place.shape.end() - 1);
    indices_ = class_indices(view, wanted, classes_, settings.options<double>().ignore_index, place.place);
}

void LossOperands::take_sample_weight(py::handle sample_weight, const Place& place, bool of_elements) {
    sample_weight_ = input_array(sample_weight, place.place, "sample_weight", place.dtype);
    const Shape& shape = place.shape;
    const Shape found = shape_of(*sample_weight_);
    if (of_elements && shape.size() == 1 && found == shape) {  // elements that are samples of their own
        rows_ = shape[0];
        classes_ = 1;
    } else {
        const Shape wanted(shape.begin(), shape.empty() ? shape.end() : shape.end() - 1);
        if (found != wanted) {
            throw py::value_error(std::string(place.place) + ": expected sample_weight of shape " +
                                  shape_text(wanted) + ", a weight for each sample, got " +
                                  shape_text(found));
        }
    }
    with_type(place.dtype,
              [&](auto type) { require_not_negative<decltype(type)>(*sample_weight_, place.place); });
}

}  // namespace ne_torch
