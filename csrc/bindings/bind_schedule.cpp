// _core.Schedule
#include <pybind11/stl.h>

#include "bindings/bindings.hpp"
#include "bindings/optimizer_checks.hpp"
#include "bindings/parameter_groups.hpp"
#include "bindings/structure.hpp"

namespace ne_torch {
namespace {

// Whether both want the same arrays, so that engines made for one serve the other.
bool same_states(const OptimizerSettings& a, const OptimizerSettings& b) {
    for (int i = 0; i < kMaxStates; ++i) {
        if (a.wants_state(i) != b.wants_state(i)) return false;
    }
    return true;
}

}  // namespace

ParameterGroups::ParameterGroups(py::list objects) : objects_(std::move(objects)) {
    for (const py::handle object : objects_) settings_.push_back(&object.cast<OptimizerSettings&>());
}

void ParameterGroups::require_finite(Dtype dtype, const char* place) const {
    for (const OptimizerSettings* settings : settings_) require_finite_in(dtype, *settings, place);
}

void ParameterGroups::count_steps(std::int64_t taken) const {
    for (OptimizerSettings* settings : settings_) settings->steps += taken;
}

PySchedule::PySchedule(const py::list& settings, const std::vector<std::string>& names,
                       const py::array_t<double, py::array::c_style | py::array::forcecast>& values,
                       py::list counter)
    : groups_(settings), counter_(std::move(counter)), first_(counter_[0].cast<std::int64_t>()) {
    for (const std::string& name : names) schedule_.numbers.push_back(named(kNumbers, name));
    schedule_.groups = groups_.size();
    schedule_.values.assign(values.data(), values.data() + values.size());
    const std::size_t row = schedule_.groups * names.size();
    if (row == 0 || schedule_.values.empty() || schedule_.values.size() % row != 0) {
        throw py::value_error("Schedule: expected values of shape (rows, groups, numbers)");
    }
}

bool PySchedule::current() const {
    if (counter_[0].cast<std::int64_t>() != first_ + static_cast<std::int64_t>(next_)) return false;
    for (std::size_t group = 0; group < groups_.size(); ++group) {
        const double* const expected = schedule_.row(next_, group);
        for (std::size_t i = 0; i < schedule_.numbers.size(); ++i) {
            if (groups_[group].*schedule_.numbers[i] != expected[i]) return false;
        }
    }
    return true;
}

void PySchedule::move_on(std::size_t steps) {
    py::int_ counted(first_ + static_cast<std::int64_t>(next_ + steps));
    next_ += steps;
    for (std::size_t group = 0; group < groups_.size(); ++group) {
        const OptimizerSettings before = groups_[group];
        schedule_.apply(next_, group, groups_[group]);
        if (!same_states(before, groups_[group])) ++structure_revision;
    }
    counter_[0] = counted;
}

void register_schedule(py::module_& m) {
    py::class_<PySchedule>(m, "Schedule")
        .def(py::init<const py::list&, const std::vector<std::string>&,
                      const py::array_t<double, py::array::c_style | py::array::forcecast>&, py::list>(),
             py::arg("settings"), py::arg("names"), py::arg("values"), py::arg("counter"))
        .def_property_readonly("left", &PySchedule::left)
        .def("current", &PySchedule::current)
        .def("move_on", &PySchedule::move_on, py::arg("steps"));
}

}  // namespace ne_torch
