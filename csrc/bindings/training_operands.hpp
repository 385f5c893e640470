// What an engine trains on, checked: samples, and what their loss takes.
#pragma once

#include <optional>
#include <variant>

#include "bindings/arrays.hpp"
#include "bindings/loss_operands.hpp"
#include "bindings/scaled_bytes.hpp"
#include "training/gather.hpp"

namespace ne_torch {

class TrainingOperands {
  public:
    // What messages call the place, and what the operands have to fit.
    struct Network {
        const char* place;
        index_t in_features;
        index_t out_features;
        const LossSettings& loss;
        Dtype dtype;
    };

    // order may be None.
    TrainingOperands(const Network& network, py::handle input, py::handle target, py::handle sample_weight,
                     py::handle order);

    index_t rows() const { return others_.rows(); }
    template <class T>
    Samples<T> samples() const {
        const LossBatch<T> batch = others_.batch<T>(nullptr);
        return {batch.rows,
                features<T>(),
                {{batch.target, batch.classes, 1}, batch.indices, batch.sample_weight},
                order_ ? order_->data() : nullptr};
    }

  private:
    using Order = py::array_t<std::int64_t, py::array::c_style>;

    template <class T>
    Features<T> features() const {
        if (const auto* bytes = std::get_if<ScaledBytes>(&input_)) return bytes->features<T>();
        return {std::get<Array>(input_).data<T>()};
    }

    std::variant<Array, ScaledBytes> input_;
    LossOperands others_;
    std::optional<Order> order_;
};

}  // namespace ne_torch
