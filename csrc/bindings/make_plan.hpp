// From layers as Python describes them, a tuple each, to the plan of an engine.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.hpp"
#include "training/plan.hpp"
#include "training/stages/batch_norm.hpp"
#include "training/stages/dropout.hpp"
#include "training/stages/layer_norm.hpp"
#include "training/stages/residual.hpp"
#include "training/stages/tabular_embedding.hpp"

namespace ne_torch {

template <class T>
T* parameter(py::handle value, const char* name) {
    constexpr Dtype dtype = sizeof(T) == 4 ? Dtype::float32 : Dtype::float64;
    return value.is_none() ? nullptr
                           : parameter_array(value, "Trainer", name, dtype).template mutable_data<T>();
}

// An array that is learned with what the optimizer knows of it: (its group, state, ...), None where there is
// no such state.
template <class T>
Learned<T> learned(py::handle value, py::handle known) {
    Learned<T> result;
    result.data = parameter<T>(value, "parameter");
    const auto items = py::reinterpret_borrow<py::tuple>(known);
    if (items.empty()) return result;
    result.group = items[0].cast<std::size_t>();
    for (std::size_t i = 1; i < items.size(); ++i) {
        result.states.at(i - 1) = parameter<T>(items[i], "optimizer state");
    }
    return result;
}

// ("linear", weight, weight's states, bias, bias's states)
template <class T>
void add_linear(Plan<T>& plan, const py::tuple& layer) {
    const auto weight = layer[1].cast<py::array>();
    plan.add_linear(weight.shape(1), weight.shape(0), learned<T>(layer[1], layer[2]),
                    learned<T>(layer[3], layer[4]));
}

// ("activation", name, first, second)
template <class T>
void add_activation(Plan<T>& plan, const py::tuple& layer) {
    plan.add_activation(activation_options<T>(layer[1].cast<std::string>(), layer[2].cast<double>(),
                                              layer[3].cast<double>()));
}

// ("dropout", p, stream)
template <class T>
void add_dropout(Plan<T>& plan, const py::tuple& layer) {
    const auto p = layer[1].cast<double>();
    auto* const stream = static_cast<std::uint64_t*>(layer[2].cast<py::array>().mutable_data());
    if (!drops(p)) return;
    plan.add([p, stream](index_t width) { return std::make_unique<DropoutStage<T>>(width, p, stream); });
}

// weight, its states, bias, its states, from item `first` on
template <class T>
ScaleShift<T> scale_shift_of(const py::tuple& layer, std::size_t first) {
    return {learned<T>(layer[first], layer[first + 1]), learned<T>(layer[first + 2], layer[first + 3])};
}

// ("layer_norm", features, eps, weight, weight's states, bias, bias's states)
template <class T>
void add_layer_norm(Plan<T>& plan, const py::tuple& layer) {
    plan.add(std::make_unique<LayerNormStage<T>>(layer[1].cast<index_t>(), layer[2].cast<double>(),
                                                 scale_shift_of<T>(layer, 3)));
}

// ("batch_norm", features, eps, weight, weight's states, bias, bias's states, running), where running is None
// or (mean, var, batches, momentum or None)
template <class T>
void add_batch_norm(Plan<T>& plan, const py::tuple& layer) {
    RunningStatistics<T> running;
    if (!layer[7].is_none()) {
        const auto parts = py::reinterpret_borrow<py::tuple>(layer[7]);
        running.mean = parameter<T>(parts[0], "running_mean");
        running.var = parameter<T>(parts[1], "running_var");
        running.batches = static_cast<std::int64_t*>(parts[2].cast<py::array>().mutable_data());
        running.cumulative = parts[3].is_none();
        running.momentum = running.cumulative ? 0 : parts[3].cast<double>();
    }
    plan.add(std::make_unique<BatchNormStage<T>>(layer[1].cast<index_t>(), layer[2].cast<double>(),
                                                 scale_shift_of<T>(layer, 3), running));
}

// ("tabular_embedding", in_features, ((column, weight, weight's states), ...)), columns ascending
template <class T>
void add_tabular_embedding(Plan<T>& plan, const py::tuple& layer) {
    std::vector<Category<T>> categories;
    for (const py::handle item : layer[2]) {
        const auto parts = py::reinterpret_borrow<py::tuple>(item);
        const auto weight = parts[1].cast<py::array>();
        categories.push_back(
            {parts[0].cast<index_t>(), weight.shape(0), weight.shape(1), learned<T>(parts[1], parts[2])});
    }
    plan.add(std::make_unique<TabularEmbeddingStage<T>>(layer[1].cast<index_t>(), std::move(categories)));
}

template <class T>
Plan<T> make_plan(const py::sequence& layers, const LossSettings& loss);

// ("residual", (layer, ...))
template <class T>
void add_residual(Plan<T>& plan, const py::tuple& layer) {
    auto inner = std::make_shared<Plan<T>>(make_plan<T>(layer[1].cast<py::sequence>(), plan.loss()));
    const auto make = [inner](index_t width) {
        inner->settle(width);
        return std::make_unique<ResidualStage<T>>(width, inner);
    };
    if (inner->size() == 0) {
        plan.add(make);
    } else {
        plan.add(make(inner->in_features()));
    }
}

template <class T>
Plan<T> make_plan(const py::sequence& layers, const LossSettings& loss) {
    using Add = void (*)(Plan<T>&, const py::tuple&);
    static constexpr Named<Add> kinds[] = {
        {add_linear<T>, "linear"},
        {add_activation<T>, "activation"},
        {[](Plan<T>& plan, const py::tuple&) { plan.add_softmax(); }, "softmax"},
        {[](Plan<T>& plan, const py::tuple&) { plan.add_log_softmax(); }, "log_softmax"},
        {add_dropout<T>, "dropout"},
        {add_layer_norm<T>, "layer_norm"},
        {add_batch_norm<T>, "batch_norm"},
        {add_residual<T>, "residual"},
        {add_tabular_embedding<T>, "tabular_embedding"},
    };
    Plan<T> plan(loss);
    for (const py::handle item : layers) {
        const auto layer = py::reinterpret_borrow<py::tuple>(item);
        named(kinds, layer[0].cast<std::string>())(plan, layer);
    }
    return plan;
}

}  // namespace ne_torch
