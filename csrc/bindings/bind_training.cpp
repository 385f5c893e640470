// _core.Engine: a fused training step and whole epochs
#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <variant>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "bindings/loss_operands.hpp"
#include "bindings/make_plan.hpp"
#include "bindings/parameter_groups.hpp"
#include "bindings/structure.hpp"
#include "threading/thread_pool.hpp"
#include "training/engine.hpp"

namespace ne_torch {
namespace {

// Engine with what it borrows: the layers' arrays and the optimizer's settings.
class PyEngine {
    struct Operands {
        Array input;
        LossOperands others;
    };
    using Order = py::array_t<std::int64_t, py::array::c_style>;

    template <class Body>
    auto visit(Body body) {
        if (auto* engine = std::get_if<Engine<float>>(&engine_)) return body(*engine, Dtype::float32);
        return body(std::get<Engine<double>>(engine_), Dtype::float64);
    }

    // What may have changed since the engine was made, without making it stale.
    void check_parameters(Dtype dtype) const {
        groups_.require_finite(dtype, "Trainer");
        for (const py::array& parameter : parameters_) {
            if (!parameter.writeable()) {
                throw py::value_error("Trainer: expected writable parameters, got a read-only one of shape " +
                                      shape_text({parameter.shape(), parameter.shape() + parameter.ndim()}));
            }
        }
    }

    // One call at a time: the workspace and the parameters are shared by all. A child that was forked during
    // a call of another thread begins anew.
    template <class Body>
    auto run(double operations, Body body) {
        const std::uint32_t mine = fork_generation() + 1;
        if (busy_.exchange(mine) == mine) {
            throw std::runtime_error(
                "Trainer: expected one training call at a time, got a second one from "
                "another thread; give each thread its own model and Trainer");
        }
        using Busy = std::atomic<std::uint32_t>;
        const std::unique_ptr<Busy, void (*)(Busy*)> release(&busy_, [](Busy* busy) { busy->store(0); });
        const ReleaseGil released(operations);
        return body();
    }

    // Keeps the arrays among a layer's description.
    void borrow(const py::tuple& parts) {
        for (const py::handle part : parts) {
            if (py::isinstance<py::tuple>(part)) borrow(py::reinterpret_borrow<py::tuple>(part));
            if (py::isinstance<py::array>(part))
                parameters_.push_back(py::reinterpret_borrow<py::array>(part));
        }
    }

    // The statistics of a batch of one sample are none.
    template <class T>
    static void require_batches(const Plan<T>& plan, index_t rows, index_t batch_size) {
        if (!plan.mixes_samples() || (batch_size > 1 && rows % batch_size != 1)) return;
        throw py::value_error(
            "BatchNorm1d: expected at least 2 samples for their statistics, got a batch of 1; choose another "
            "batch_size");
    }

    template <class T>
    static Operands operands(const Plan<T>& plan, py::handle input, py::handle target,
                             py::handle sample_weight, Dtype dtype, const char* place) {
        Array x = input_array(input, place, "x", dtype);
        if (x.ndim() == 0 || x.last() != plan.in_features()) {
            throw py::value_error(std::string(place) + ": expected x of shape (..., " +
                                  std::to_string(plan.in_features()) + "), got " + shape_text(x));
        }
        auto shape = shape_of(x);
        shape.back() = plan.out_features();
        LossOperands others(plan.loss(), target, sample_weight, {place, "the model's output", shape, dtype});
        if (others.rows() != x.rows()) {
            throw py::value_error(std::string(place) +
                                  ": expected sample_weight of shape (), the weight of " +
                                  "the one sample, got (" + std::to_string(others.rows()) + ",)");
        }
        return {std::move(x), std::move(others)};
    }

    static Order checked_order(py::handle order, index_t rows) {
        auto indices = py::cast<Order>(order);
        for (py::ssize_t i = 0; i < indices.size(); ++i) {
            if (indices.data()[i] < 0 || indices.data()[i] >= rows || indices.size() != rows) {
                throw py::value_error("Trainer.fit: expected an order of 0 .. " + std::to_string(rows - 1));
            }
        }
        return indices;
    }

    template <class T>
    static Targets<T> targets_of(const Operands& operands) {
        const LossBatch<T> batch = operands.others.batch<T>(nullptr);
        return {{batch.target, batch.classes, 1}, batch.indices, batch.sample_weight};
    }

    template <class T>
    static Batch<T> batch_of(const Engine<T>& engine, const Operands& operands) {
        return {operands.others.rows(),
                {operands.input.data<T>(), engine.plan().in_features(), 1},
                targets_of<T>(operands)};
    }

    template <class T>
    static Samples<T> samples_of(const Engine<T>&, const Operands& operands, const std::int64_t* order) {
        return {operands.input.data<T>(), targets_of<T>(operands), order, operands.others.rows()};
    }

  public:
    PyEngine(const std::string& dtype, py::list layers, py::object loss, py::list groups,
             const std::pair<double, double>& clipping)
        : layers_(std::move(layers)),
          loss_(std::move(loss)),
          groups_(std::move(groups)),
          revision_(structure_revision) {
        for (const py::handle layer : layers_) {
            borrow(py::reinterpret_borrow<py::tuple>(layer));
        }
        const auto& loss_settings = loss_.cast<const LossSettings&>();
        const Clipping clips{clipping.first, clipping.second};
        if (dtype == "float32") {
            engine_.emplace<Engine<float>>(make_plan<float>(layers_, loss_settings), groups_.all(), clips);
        } else {
            engine_.emplace<Engine<double>>(make_plan<double>(layers_, loss_settings), groups_.all(), clips);
        }
    }

    bool stale() const { return revision_ != structure_revision; }

    // None where the engine is out of date: nothing has been done then.
    py::object step(py::handle input, py::handle target, py::handle sample_weight, PySchedule* schedule) {
        if (stale()) return py::none();
        return visit([&](auto& engine, Dtype dtype) -> py::object {
            const Operands all = operands(engine.plan(), input, target, sample_weight, dtype, "Trainer.step");
            check_parameters(dtype);
            const index_t rows = all.others.rows();
            if (rows == 0) throw py::value_error("Trainer.step: expected at least one row, got none");
            require_batches(engine.plan(), rows, rows);
            const double loss = run(static_cast<double>(rows) * engine.plan().work_per_row(),
                                    [&] { return engine.step(batch_of(engine, all)); });
            if (schedule) schedule->move_on(1);
            return py::float_(loss);
        });
    }

    // The same, and moves the cursor on: see run_part. False where the engine is out of date.
    bool step_and_record(py::handle input, py::handle target, const py::list& cursor, index_t rows,
                         py::handle sample_weight, PySchedule* schedule) {
        const auto first = cursor[0].cast<index_t>();
        const auto total = cursor[1].cast<double>();
        const py::object value = step(input, target, sample_weight, schedule);
        if (value.is_none()) return false;
        cursor[0] = first + rows;
        cursor[1] = total + value.cast<double>() * static_cast<double>(rows);
        return true;
    }

    // Trains from where the cursor, [rows done in this epoch, their total loss], stands, and moves it on:
    // here and not in Python, where an interrupt might come between a step and its record. See Engine::run.
    bool run_part(py::handle input, py::handle target, py::handle order, const py::list& cursor,
                  index_t batch_size, double seconds, py::handle sample_weight, PySchedule* schedule) {
        if (stale()) return false;
        const auto first = cursor[0].cast<index_t>();
        const auto total_loss = cursor[1].cast<double>();
        visit([&](auto& engine, Dtype dtype) {
            const Operands all = operands(engine.plan(), input, target, sample_weight, dtype, "Trainer.fit");
            const index_t rows = all.others.rows();
            check_parameters(dtype);
            const auto indices = order.is_none() ? std::nullopt : std::optional(checked_order(order, rows));
            require_batches(engine.plan(), rows - first, std::min(batch_size, rows));
            const EpochPart part = run(1e9, [&] {
                return engine.run(samples_of(engine, all, indices ? indices->data() : nullptr), first,
                                  std::min(batch_size, rows), seconds, total_loss,
                                  schedule ? schedule->ahead() : Ahead{});
            });
            if (schedule) schedule->move_on(part.steps);
            cursor[0] = first + part.rows;
            cursor[1] = part.total_loss;
        });
        return true;
    }

  private:
    py::list layers_;
    std::vector<py::array> parameters_;
    py::object loss_;
    ParameterGroups groups_;
    std::uint64_t revision_;
    std::atomic<std::uint32_t> busy_{0};  // 1 + the fork generation of the call that runs
    std::variant<std::monostate, Engine<float>, Engine<double>> engine_;
};

}  // namespace

void register_training(py::module_& m) {
    py::class_<PyEngine>(m, "Engine")
        .def(py::init<const std::string&, py::list, py::object, py::list, const std::pair<double, double>&>(),
             py::arg("dtype"), py::arg("layers"), py::arg("loss"), py::arg("groups"),
             py::arg("clipping") = std::pair(0.0, 0.0))
        .def("step", &PyEngine::step, py::arg("x"), py::arg("target"), py::arg("sample_weight") = py::none(),
             py::arg("schedule") = py::none())
        .def("step_and_record", &PyEngine::step_and_record, py::arg("x"), py::arg("target"),
             py::arg("cursor"), py::arg("rows"), py::arg("sample_weight") = py::none(),
             py::arg("schedule") = py::none())
        .def("run", &PyEngine::run_part, py::arg("x"), py::arg("target"), py::arg("order"), py::arg("cursor"),
             py::arg("batch_size"), py::arg("seconds"), py::arg("sample_weight") = py::none(),
             py::arg("schedule") = py::none());
    m.def(
        "as_array",
        [](py::handle value, const char* place, const char* name, const std::optional<std::string>& dtype) {
            const bool single = dtype && *dtype == "float32";
            const auto wanted =
                dtype ? std::optional(single ? Dtype::float32 : Dtype::float64) : std::nullopt;
            return input_array(value, place, name, wanted).object();
        },
        py::arg("value"), py::arg("place"), py::arg("name"), py::arg("dtype"));
    m.def("structure_changed", [] { ++structure_revision; });
}

}  // namespace ne_torch
