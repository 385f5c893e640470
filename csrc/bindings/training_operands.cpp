#include "bindings/training_operands.hpp"

#include <string>

namespace ne_torch {
namespace {

using Shape = std::vector<py::ssize_t>;
using Input = std::variant<Array, ScaledBytes>;

Input input_of(const TrainingOperands::Network& network, py::handle input) {
    if (py::isinstance<py::array>(input) || !py::isinstance<ScaledBytes>(input))
        return input_array(input, network.place, "x", network.dtype);
    const auto& bytes = input.cast<const ScaledBytes&>();
    if (bytes.dtype() == network.dtype) return bytes;
    throw py::type_error(std::string(network.place) + ": expected x scaled to " + name_of(network.dtype) +
                         ", got " + name_of(bytes.dtype()));
}

Shape shape_of_input(const Input& input) {
    if (const auto* bytes = std::get_if<ScaledBytes>(&input)) return bytes->shape();
    return shape_of(std::get<Array>(input));
}

void require_features(const Shape& shape, const TrainingOperands::Network& network) {
    if (!shape.empty() && shape.back() == network.in_features) return;
    throw py::value_error(std::string(network.place) + ": expected x of shape (..., " +
                          std::to_string(network.in_features) + "), got " + shape_text(shape));
}

LossOperands others_of(const TrainingOperands::Network& network, Shape shape, py::handle target,
                       py::handle sample_weight) {
    require_features(shape, network);
    shape.back() = network.out_features;
    return {network.loss, target, sample_weight, {network.place, "the model's output", shape, network.dtype}};
}

}  // namespace

TrainingOperands::TrainingOperands(const Network& network, py::handle input, py::handle target,
                                   py::handle sample_weight, py::handle order)
    : input_(input_of(network, input)),
      others_(others_of(network, shape_of_input(input_), target, sample_weight)) {
    if (rows() != 1 && shape_of_input(input_).size() == 1) {
        throw py::value_error(std::string(network.place) +
                              ": expected sample_weight of shape (), the weight of the one sample, got (" +
                              std::to_string(rows()) + ",)");
    }
    if (order.is_none()) return;
    order_ = py::cast<Order>(order);
    for (py::ssize_t i = 0; i < order_->size(); ++i) {
        if (order_->data()[i] < 0 || order_->data()[i] >= rows() || order_->size() != rows()) {
            throw py::value_error(std::string(network.place) + ": expected an order of 0 .. " +
                                  std::to_string(rows() - 1));
        }
    }
}

}  // namespace ne_torch
