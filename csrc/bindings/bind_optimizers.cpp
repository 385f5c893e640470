// _core.SGDSettings, _core.sgd_update
#include <pybind11/stl.h>

#include <utility>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "bindings/optimizer_checks.hpp"
#include "dispatch/registry.hpp"

namespace ne_torch {
namespace {

// One parameter of an update, checked.
struct Update {
    Array param;
    Array grad;
    std::optional<Array> velocity;
};

Update checked_update(py::handle param, py::handle grad, py::handle velocity, bool momentum,
                      const char* place) {
    Array p = parameter_array(param, place, "param");
    Array g = input_array(grad, place, "grad", p.dtype());
    require_same_shape(g, p, place, "grad", "param");
    std::optional<Array> v;
    if (momentum) {
        if (velocity.is_none()) {
            throw py::value_error(std::string(place) + ": expected a velocity array with momentum, got None");
        }
        v = parameter_array(velocity, place, "velocity", p.dtype());
        require_same_shape(*v, p, place, "velocity", "param");
    }
    return {std::move(p), std::move(g), std::move(v)};
}

// Every parameter is checked before the first one changes. record: None, or (list, content), where the
// content replaces the list's as soon as the last parameter has changed; here and not in Python, where an
// interrupt might come between an update and its record.
void sgd_update_py(const py::sequence& params, const py::sequence& grads, const py::sequence& velocities,
                   const SgdSettings& settings, const char* place,
                   const std::optional<std::pair<py::list, py::list>>& record) {
    std::vector<Update> updates;
    for (std::size_t i = 0; i < params.size(); ++i) {
        updates.push_back(checked_update(params[i], grads[i], velocities[i], settings.momentum != 0, place));
        require_finite_in(updates.back().param.dtype(), settings, place);
    }
    for (const Update& update : updates) {
        with_type(update.param.dtype(), [&](auto type) {
            using T = decltype(type);
            const ReleaseGil released(static_cast<double>(update.param.size()));
            active_kernels<T>().sgd_update(update.param.size(), settings.rounded<T>(), update.grad.data<T>(),
                                           update.velocity ? update.velocity->mutable_data<T>() : nullptr,
                                           update.param.mutable_data<T>());
        });
    }
    if (record) PyList_SetSlice(record->first.ptr(), 0, PY_SSIZE_T_MAX, record->second.ptr());
}

}  // namespace

void register_optimizers(py::module_& m) {
    py::class_<SgdSettings>(m, "SGDSettings")
        .def(py::init([](double lr, double momentum, double weight_decay, bool nesterov) {
                 return SgdSettings{lr, momentum, weight_decay, nesterov};
             }),
             py::arg("lr"), py::arg("momentum") = 0.0, py::arg("weight_decay") = 0.0,
             py::arg("nesterov") = false)
        .def_readwrite("lr", &SgdSettings::lr)
        .def_readwrite("momentum", &SgdSettings::momentum)
        .def_readwrite("weight_decay", &SgdSettings::weight_decay)
        .def_readwrite("nesterov", &SgdSettings::nesterov)
        .def(py::pickle(
            [](const SgdSettings& s) { return py::make_tuple(s.lr, s.momentum, s.weight_decay, s.nesterov); },
            [](const py::tuple& state) {
                return SgdSettings{state[0].cast<double>(), state[1].cast<double>(), state[2].cast<double>(),
                                   state[3].cast<bool>()};
            }));
    m.def("sgd_update", sgd_update_py, py::arg("params"), py::arg("grads"), py::arg("velocities"),
          py::arg("settings"), py::arg("place") = "sgd_update", py::arg("record") = py::none());
    m.def("finite_number", finite_number, py::arg("value"), py::arg("place"), py::arg("name"));
}

}  // namespace ne_torch
