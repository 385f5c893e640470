// _core.loss_forward, _core.loss_backward
#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "dispatch/registry.hpp"
#include "functional/batch_major.hpp"

namespace ne_torch {
namespace {

struct Pair {
    Array prediction;
    Array target;
};

// The prediction decides the dtype; shapes agree, because silent broadcasting hides mistakes.
Pair operands(py::handle prediction, py::handle target, const char* place) {
    Array p = input_array(prediction, place, "prediction");
    Array t = input_array(target, place, "target", p.dtype());
    require_same_shape(t, p, place, "target", "prediction");
    return {std::move(p), std::move(t)};
}

// The last axis holds the classes of a sample, all axes before it count samples.
index_t classes_of(const Array& prediction) { return prediction.ndim() == 0 ? 1 : prediction.last(); }

double loss_forward_py(const char* name, py::handle prediction, py::handle target, const char* place) {
    const Pair pair = operands(prediction, target, place);
    return with_type(pair.prediction.dtype(), [&](auto type) {
        using T = decltype(type);
        const index_t classes = classes_of(pair.prediction);
        const index_t rows = classes == 0 ? 0 : pair.prediction.size() / classes;
        const ReleaseGil released(2.0 * static_cast<double>(pair.prediction.size()));
        return loss_forward<T>(named(kLosses, name), rows, classes, pair.prediction.data<T>(),
                               pair.target.data<T>());
    });
}

py::array loss_backward_py(const char* name, py::handle prediction, py::handle target, py::handle out,
                           const char* place) {
    const Pair pair = operands(prediction, target, place);
    const Array grad = output_array(out, shape_of(pair.prediction), pair.prediction.dtype(), place,
                                    {&pair.prediction, &pair.target}, true);
    with_type(pair.prediction.dtype(), [&](auto type) {
        using T = decltype(type);
        const index_t n = pair.prediction.size();
        const ReleaseGil released(static_cast<double>(n));
        active_kernels<T>().loss_backward(
            named(kLosses, name), 1, n, static_cast<T>(1.0 / static_cast<double>(n)),
            {pair.prediction.data<T>()}, {pair.target.data<T>()}, {grad.mutable_data<T>()});
    });
    return grad.object();
}

}  // namespace

void register_losses(py::module_& m) {
    m.def("loss_forward", loss_forward_py, py::arg("name"), py::arg("prediction"), py::arg("target"),
          py::arg("place") = "loss_forward");
    m.def("loss_backward", loss_backward_py, py::arg("name"), py::arg("prediction"), py::arg("target"),
          py::arg("out") = py::none(), py::arg("place") = "loss_backward");
}

}  // namespace ne_torch
