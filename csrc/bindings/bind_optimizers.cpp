// _core.sgd_update
#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "core/gemm_args.hpp"
#include "dispatch/registry.hpp"

namespace ne_torch {
namespace {

void sgd_update_py(py::handle param, py::handle grad, py::handle velocity, double lr, double momentum,
                   double weight_decay, bool nesterov, const char* place) {
    const Array p = parameter_array(param, place, "param");
    const Array g = input_array(grad, place, "grad", p.dtype());
    require_same_shape(g, p, place, "grad", "param");
    std::optional<Array> v;
    if (!velocity.is_none()) {
        v = parameter_array(velocity, place, "velocity", p.dtype());
        require_same_shape(*v, p, place, "velocity", "param");
    } else if (momentum != 0) {
        throw py::value_error(std::string(place) + ": expected a velocity array with momentum, got None");
    }
    with_type(p.dtype(), [&](auto type) {
        using T = decltype(type);
        const SgdOptions<T> options{static_cast<T>(lr), static_cast<T>(momentum),
                                    static_cast<T>(weight_decay), nesterov};
        const ReleaseGil released(static_cast<double>(p.size()));
        active_kernels<T>().sgd_update(p.size(), options, g.data<T>(), v ? v->mutable_data<T>() : nullptr,
                                       p.mutable_data<T>());
    });
}

}  // namespace

void register_optimizers(py::module_& m) {
    m.def("sgd_update", sgd_update_py, py::arg("param"), py::arg("grad"), py::arg("velocity"), py::arg("lr"),
          py::arg("momentum") = 0.0, py::arg("weight_decay") = 0.0, py::arg("nesterov") = false,
          py::arg("place") = "sgd_update");
    m.def("finite_number", finite_number, py::arg("value"), py::arg("place"), py::arg("name"));
}

}  // namespace ne_torch
