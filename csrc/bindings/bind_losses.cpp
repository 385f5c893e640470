// _core.loss_forward, _core.loss_backward, _core.loss_total
#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "bindings/loss_operands.hpp"

namespace ne_torch {
namespace {

// The operands of one call; the prediction decides the dtype.
struct Operands {
    Operands(const LossSettings& settings, py::handle p, py::handle target, py::handle sample_weight,
             const char* place)
        : prediction(input_array(p, place, "prediction")),
          shape(shape_of(prediction)),
          others(settings, target, sample_weight, {place, "prediction", shape, prediction.dtype()}) {}

    template <class T>
    LossBatch<T> batch() const {
        return others.batch(prediction.data<T>());
    }
    template <class T>
    double divisor(const LossSettings& settings) const {
        const LossBatch<T> b = batch<T>();
        return loss_divisor(settings, b.rows, b.classes, b.indices, b.sample_weight);
    }
    // of what is not reduced
    std::vector<py::ssize_t> value_shape(const LossSettings& settings) const {
        if (!is_class_wise(settings.kind())) return shape;
        return {shape.begin(), shape.end() - 1};
    }
    double work() const { return 2.0 * static_cast<double>(prediction.size()); }

    Array prediction;
    std::vector<py::ssize_t> shape;
    LossOperands others;
};

py::tuple loss_total_py(const LossSettings& settings, py::handle prediction, py::handle target,
                        py::handle sample_weight, const char* place) {
    const Operands operands(settings, prediction, target, sample_weight, place);
    double total = 0, divisor = 0;
    with_type(operands.prediction.dtype(), [&](auto type) {
        using T = decltype(type);
        const ReleaseGil released(operands.work());
        total = loss_total(settings, operands.batch<T>());
        divisor = operands.divisor<T>(settings);
    });
    return py::make_tuple(total, divisor);
}

py::object loss_forward_py(const LossSettings& settings, py::handle prediction, py::handle target,
                           py::handle sample_weight, const char* place) {
    const Operands operands(settings, prediction, target, sample_weight, place);
    return with_type(operands.prediction.dtype(), [&](auto type) -> py::object {
        using T = decltype(type);
        const LossBatch<T> batch = operands.batch<T>();
        if (settings.reduction() == Reduction::none) {
            const Array values = new_array(operands.value_shape(settings), operands.prediction.dtype());
            {
                const ReleaseGil released(operands.work());
                loss_values(settings, batch, values.mutable_data<T>());
            }
            return values.object();
        }
        double value = 0;
        {
            const ReleaseGil released(operands.work());
            value = loss_total(settings, batch) / operands.divisor<T>(settings);
        }
        return py::float_(value);
    });
}

// The gradient with respect to the loss: None where it is 1, a number, or an array where nothing was reduced.
struct GradOutput {
    GradOutput(const LossSettings& settings, const Operands& operands, py::handle value, const char* place) {
        if (settings.reduction() != Reduction::none) {
            if (!value.is_none()) scale = finite_number(value, place, "grad_output");
            return;
        }
        const auto shape = operands.value_shape(settings);
        if (value.is_none()) {
            throw py::value_error(std::string(place) + ": expected grad_output of shape " +
                                  shape_text(shape) + ", for the reduction is \"none\", got None");
        }
        array = input_array(value, place, "grad_output", operands.prediction.dtype());
        require_shape(*array, shape, place, "grad_output", "the loss");
    }

    double scale = 1;
    std::optional<Array> array;
};

py::array loss_backward_py(const LossSettings& settings, py::handle prediction, py::handle target,
                           py::handle sample_weight, py::handle grad_output, py::handle out,
                           const char* place) {
    const Operands operands(settings, prediction, target, sample_weight, place);
    const GradOutput grad(settings, operands, grad_output, place);
    const Array& p = operands.prediction;
    const std::optional<Array>& t = operands.others.target();
    const Array* const dense = t ? &*t : &p;
    const Array* const upper = grad.array ? &*grad.array : &p;
    const Array result = output_array(out, operands.shape, p.dtype(), place, {&p, dense, upper},
                                      !is_class_wise(settings.kind()));
    with_type(p.dtype(), [&](auto type) {
        using T = decltype(type);
        const ReleaseGil released(operands.work());
        loss_gradient(settings, operands.batch<T>(),
                      static_cast<T>(grad.scale / operands.divisor<T>(settings)),
                      grad.array ? grad.array->template data<T>() : nullptr, result.mutable_data<T>());
    });
    return result.object();
}

}  // namespace

void register_losses(py::module_& m) {
    m.def("loss_total", loss_total_py, py::arg("settings"), py::arg("prediction"), py::arg("target"),
          py::arg("sample_weight") = py::none(), py::arg("place") = "loss_total");
    m.def("loss_forward", loss_forward_py, py::arg("settings"), py::arg("prediction"), py::arg("target"),
          py::arg("sample_weight") = py::none(), py::arg("place") = "loss_forward");
    m.def("loss_backward", loss_backward_py, py::arg("settings"), py::arg("prediction"), py::arg("target"),
          py::arg("sample_weight") = py::none(), py::arg("grad_output") = py::none(),
          py::arg("out") = py::none(), py::arg("place") = "loss_backward");
}

}  // namespace ne_torch
