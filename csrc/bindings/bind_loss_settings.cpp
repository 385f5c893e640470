// _core.LossSettings: a loss with its options
#include <memory>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "functional/loss_settings.hpp"

namespace ne_torch {
namespace {

using Weights = py::array_t<double, py::array::c_style | py::array::forcecast>;

// Of a dictionary that this package's own Python files made.
std::unique_ptr<LossSettings> make_settings(const std::string& name, const std::string& reduction,
                                            const py::dict& values) {
    LossOptions<double> options;
    options.kind = named(kLosses, name);
    for (const auto& number : kLossNumbers) {
        if (values.contains(number.name)) options.*number.value = values[number.name].cast<double>();
    }
    for (const auto& flag : kLossFlags) {
        if (values.contains(flag.name)) options.*flag.value = values[flag.name].cast<bool>();
    }
    if (values.contains("ignore_index")) options.ignore_index = values["ignore_index"].cast<index_t>();
    const auto weights = [&](const char* key) -> std::vector<double> {
        if (!values.contains(key) || py::object(values[key]).is_none()) return {};
        const auto array = values[key].cast<Weights>();
        return {array.data(), array.data() + array.size()};
    };
    return std::make_unique<LossSettings>(options, named(kReductions, reduction), weights("weight"),
                                          weights("pos_weight"));
}

py::object array_or_none(const std::vector<double>& values) {
    if (values.empty()) return py::none();
    return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::dict all_options(const LossSettings& settings) {
    const LossOptions<double>& options = settings.options<double>();
    py::dict values;
    for (const auto& number : kLossNumbers) values[number.name] = options.*number.value;
    for (const auto& flag : kLossFlags) values[flag.name] = options.*flag.value;
    values["ignore_index"] = options.ignore_index;
    values["weight"] = array_or_none(settings.weight());
    values["pos_weight"] = array_or_none(settings.pos_weight());
    return values;
}

}  // namespace

void register_loss_settings(py::module_& m) {
    py::class_<LossSettings>(m, "LossSettings")
        .def(py::init(&make_settings), py::arg("name"), py::arg("reduction") = "mean",
             py::arg("options") = py::dict())
        .def_property_readonly("name", [](const LossSettings& s) { return name_of(kLosses, s.kind()); })
        .def_property_readonly("reduction",
                               [](const LossSettings& s) { return name_of(kReductions, s.reduction()); })
        .def_property_readonly("options", &all_options)
        .def(py::pickle(
            [](const LossSettings& s) {
                return py::make_tuple(name_of(kLosses, s.kind()), name_of(kReductions, s.reduction()),
                                      all_options(s));
            },
            [](const py::tuple& state) {
                return make_settings(state[0].cast<std::string>(), state[1].cast<std::string>(),
                                     state[2].cast<py::dict>());
            }));
}

}  // namespace ne_torch
