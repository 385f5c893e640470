// _core.Engine: a fused training step and whole epochs
#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <variant>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "bindings/make_plan.hpp"
#include "bindings/parameter_groups.hpp"
#include "bindings/scaled_bytes.hpp"
#include "bindings/structure.hpp"
#include "threading/thread_pool.hpp"
#include "training/engine.hpp"

namespace ne_torch {
namespace {

// Engine with what it borrows: the layers' arrays and the optimizer's settings.
class PyEngine {
    struct Pair {
        std::optional<Array> input;  // without it, the bytes
        Array target;
        index_t rows;
        std::optional<ScaledBytes> bytes;
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
    static Pair operands(const Plan<T>& plan, py::handle input, py::handle target, Dtype dtype,
                         const char* place) {
        std::optional<ScaledBytes> bytes;
        std::optional<Array> x;
        if (py::isinstance<ScaledBytes>(input)) {
            bytes = input.cast<const ScaledBytes&>();
            bytes->require(dtype, place);
        } else {
            x.emplace(input_array(input, place, "x", dtype));
        }
        auto expected = x ? shape_of(*x) : bytes->shape();
        if (expected.empty() || expected.back() != plan.in_features()) {
            throw py::value_error(std::string(place) + ": expected x of shape (..., " +
                                  std::to_string(plan.in_features()) + "), got " + shape_text(expected));
        }
        Array t = input_array(target, place, "target", dtype);
        expected.back() = plan.out_features();
        if (shape_of(t) != expected) {
            throw py::value_error(std::string(place) + ": expected target of shape " + shape_text(expected) +
                                  ", the shape of the model's output, got " + shape_text(t));
        }
        const index_t rows = x ? x->rows() : bytes->rows();
        return {std::move(x), std::move(t), rows, std::move(bytes)};
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
    static Batch<T> batch_of(const Engine<T>& engine, const Pair& pair) {
        return {pair.rows,
                {pair.input->template data<T>(), engine.plan().in_features(), 1},
                {pair.target.data<T>(), engine.plan().out_features(), 1}};
    }

    template <class T>
    static Samples<T> samples_of(const Engine<T>&, const Pair& pair, const std::int64_t* order) {
        if (pair.input) return {pair.input->template data<T>(), pair.target.data<T>(), order, pair.rows, {}};
        return {nullptr, pair.target.data<T>(), order, pair.rows, pair.bytes->template view<T>()};
    }

  public:
    PyEngine(const std::string& dtype, py::list layers, const std::string& loss, py::list groups)
        : layers_(std::move(layers)), groups_(std::move(groups)), revision_(structure_revision) {
        for (const py::handle layer : layers_) {
            borrow(py::reinterpret_borrow<py::tuple>(layer));
        }
        if (dtype == "float32") {
            engine_.emplace<Engine<float>>(make_plan<float>(layers_, named(kLosses, loss)), groups_.all());
        } else {
            engine_.emplace<Engine<double>>(make_plan<double>(layers_, named(kLosses, loss)), groups_.all());
        }
    }

    bool stale() const { return revision_ != structure_revision; }

    // None where the engine is out of date: nothing has been done then.
    py::object step(py::handle input, py::handle target, PySchedule* schedule) {
        if (stale()) return py::none();
        return visit([&](auto& engine, Dtype dtype) -> py::object {
            const Pair pair = operands(engine.plan(), input, target, dtype, "Trainer.step");
            check_parameters(dtype);
            if (pair.rows == 0) throw py::value_error("Trainer.step: expected at least one row, got none");
            require_batches(engine.plan(), pair.rows, pair.rows);
            const double loss = run(static_cast<double>(pair.rows) * engine.plan().work_per_row(),
                                    [&] { return engine.step(batch_of(engine, pair)); });
            if (schedule) schedule->move_on(1);
            return py::float_(loss);
        });
    }

    // The same, and moves the cursor on: see run_part. False where the engine is out of date.
    bool step_and_record(py::handle input, py::handle target, const py::list& cursor, index_t rows,
                         PySchedule* schedule) {
        const auto first = cursor[0].cast<index_t>();
        const auto total = cursor[1].cast<double>();
        const py::object value = step(input, target, schedule);
        if (value.is_none()) return false;
        cursor[0] = first + rows;
        cursor[1] = total + value.cast<double>() * static_cast<double>(rows);
        return true;
    }

    // Trains from where the cursor, [rows done in this epoch, their total loss], stands, and moves it on:
    // here and not in Python, where an interrupt might come between a step and its record. See Engine::run.
    bool run_part(py::handle input, py::handle target, py::handle order, const py::list& cursor,
                  index_t batch_size, double seconds, PySchedule* schedule) {
        if (stale()) return false;
        const auto first = cursor[0].cast<index_t>();
        const auto total_loss = cursor[1].cast<double>();
        visit([&](auto& engine, Dtype dtype) {
            const Pair pair = operands(engine.plan(), input, target, dtype, "Trainer.fit");
            check_parameters(dtype);
            const auto indices =
                order.is_none() ? std::nullopt : std::optional(checked_order(order, pair.rows));
            require_batches(engine.plan(), pair.rows - first, std::min(batch_size, pair.rows));
            const EpochPart part = run(1e9, [&] {
                return engine.run(samples_of(engine, pair, indices ? indices->data() : nullptr), first,
                                  std::min(batch_size, pair.rows), seconds, total_loss,
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
    ParameterGroups groups_;
    std::uint64_t revision_;
    std::atomic<std::uint32_t> busy_{0};  // 1 + the fork generation of the call that runs
    std::variant<std::monostate, Engine<float>, Engine<double>> engine_;
};

}  // namespace

void register_training(py::module_& m) {
    py::class_<PyEngine>(m, "Engine")
        .def(py::init<const std::string&, py::list, const std::string&, py::list>(), py::arg("dtype"),
             py::arg("layers"), py::arg("loss"), py::arg("groups"))
        .def("step", &PyEngine::step, py::arg("x"), py::arg("target"), py::arg("schedule") = py::none())
        .def("step_and_record", &PyEngine::step_and_record, py::arg("x"), py::arg("target"),
             py::arg("cursor"), py::arg("rows"), py::arg("schedule") = py::none())
        .def("run", &PyEngine::run_part, py::arg("x"), py::arg("target"), py::arg("order"), py::arg("cursor"),
             py::arg("batch_size"), py::arg("seconds"), py::arg("schedule") = py::none());
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
