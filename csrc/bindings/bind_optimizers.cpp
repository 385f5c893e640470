// _core.OptimizerSettings, _core.update, _core.square_sum
#include <pybind11/stl.h>

#include <array>
#include <utility>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "bindings/parameter_groups.hpp"
#include "dispatch/registry.hpp"
#include "functional/square_sum.hpp"

namespace ne_torch {
namespace {

// One parameter of an update, checked.
struct Update {
    const OptimizerSettings& settings;
    Array param;
    Array grad;
    std::array<std::optional<Array>, kMaxStates> states;
};

Update checked_update(py::handle param, py::handle grad, const py::sequence& states,
                      const OptimizerSettings& settings, const char* place) {
    Array p = parameter_array(param, place, "param");
    Array g = input_array(grad, place, "grad", p.dtype());
    require_same_shape(g, p, place, "grad", "param");
    Update update{settings, std::move(p), std::move(g), {}};
    for (int i = 0; i < kMaxStates; ++i) {
        if (!settings.wants_state(i)) continue;
        const auto at = static_cast<std::size_t>(i);
        if (at >= states.size() || py::object(states[at]).is_none()) {
            throw py::value_error(std::string(place) + ": expected an array of the optimizer's state " +
                                  std::to_string(i) + ", got none");
        }
        Array state = parameter_array(py::object(states[at]), place, "state", update.param.dtype());
        require_same_shape(state, update.param, place, "state", "param");
        update.states[at] = std::move(state);
    }
    return update;
}

template <class T>
void run(const Update& update) {
    const OptimizerSettings& settings = update.settings;
    std::array<T*, kMaxStates> states{};
    for (std::size_t i = 0; i < states.size(); ++i) {
        if (update.states[i]) states[i] = update.states[i]->mutable_data<T>();
    }
    const ReleaseGil released(static_cast<double>(update.param.size()));
    active_kernels<T>().update(settings.at_step<T>(settings.steps + 1), 1, update.param.size(),
                               {update.grad.data<T>()}, {update.param.mutable_data<T>()}, states.data());
}

// Takes one step. Every parameter is checked before the first one changes. members: the group of each
// parameter. record: None, or (list, content), where the content replaces the list's as soon as the last
// parameter has changed, and the schedule moves on; here and not in Python, where an interrupt might come
// between an update and its record.
void update_py(const py::sequence& params, const py::sequence& grads, const py::sequence& states,
               const py::list& groups, const std::vector<std::size_t>& members, const char* place,
               const std::optional<std::pair<py::list, py::list>>& record, py::handle coming) {
    PySchedule* const schedule = schedule_of(coming);
    const ParameterGroups settings(groups);
    std::vector<Update> updates;
    for (std::size_t i = 0; i < params.size(); ++i) {
        updates.push_back(checked_update(params[i], grads[i], states[i], settings[members.at(i)], place));
        settings.require_finite(updates.back().param.dtype(), place);
    }
    for (const Update& update : updates) {
        with_type(update.param.dtype(), [&](auto type) { run<decltype(type)>(update); });
    }
    settings.count_steps(1);
    if (schedule) schedule->move_on(1);
    if (record) PyList_SetSlice(record->first.ptr(), 0, PY_SSIZE_T_MAX, record->second.ptr());
}

// Arrays of any dtype and shape; a row is along the last axis.
double square_sum(const py::sequence& arrays, const char* place) {
    double total = 0;
    for (const py::handle item : arrays) {
        const Array array = input_array(item, place, "grad");
        if (array.size() == 0) continue;
        const index_t cols = array.ndim() == 0 ? 1 : array.last();
        with_type(array.dtype(), [&](auto type) {
            const ReleaseGil released(static_cast<double>(array.size()));
            total = add_square_sum(total, array.size() / cols, cols, array.data<decltype(type)>());
        });
    }
    return total;
}

OptimizerSettings make_settings(const std::string& name, const py::dict& values) {
    OptimizerSettings settings;
    settings.kind = named(kOptimizers, name);
    py::object view = py::cast(&settings, py::return_value_policy::reference);
    for (const auto& [key, value] : values) py::setattr(view, key, value);
    return settings;
}

py::tuple settings_state(const py::object& object) {
    const auto& settings = object.cast<const OptimizerSettings&>();
    py::dict values;
    for (const auto& number : kNumbers) values[number.name] = object.attr(number.name);
    for (const auto& flag : kFlags) values[flag.name] = object.attr(flag.name);
    values["steps"] = settings.steps;
    return py::make_tuple(name_of(kOptimizers, settings.kind), values);
}

}  // namespace

void register_optimizers(py::module_& m) {
    py::class_<OptimizerSettings> settings(m, "OptimizerSettings");
    settings.def(py::init(&make_settings), py::arg("name"), py::arg("values") = py::dict());
    for (const auto& number : kNumbers) settings.def_readwrite(number.name, number.value);
    for (const auto& flag : kFlags) settings.def_readwrite(flag.name, flag.value);
    settings.def_readwrite("steps", &OptimizerSettings::steps);
    settings.def("wants_state", &OptimizerSettings::wants_state, py::arg("index"));
    settings.def(py::pickle(&settings_state, [](const py::tuple& state) {
        return make_settings(state[0].cast<std::string>(), state[1].cast<py::dict>());
    }));
    m.def("update", update_py, py::arg("params"), py::arg("grads"), py::arg("states"), py::arg("groups"),
          py::arg("members"), py::arg("place") = "update", py::arg("record") = py::none(),
          py::arg("schedule") = py::none());
    m.def("square_sum", square_sum, py::arg("arrays"), py::arg("place") = "square_sum");
    m.def("finite_number", finite_number, py::arg("value"), py::arg("place"), py::arg("name"));
}

}  // namespace ne_torch
