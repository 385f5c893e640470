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
#include "bindings/structure.hpp"
#include "bindings/training_operands.hpp"
#include "bindings/wrong_code.hpp"
#include "threading/thread_pool.hpp"
#include "training/engine.hpp"

namespace ne_torch {
namespace {

// An epoch's cursor is the list [rows, total loss], or [rows, total loss, total penalty] where that is
// wanted.
Progress progress_of(const py::list& cursor) {
    Progress progress{cursor[0].cast<index_t>(), cursor[1].cast<double>(), {}};
    if (cursor.size() > 2) progress.total_penalty = cursor[2].cast<double>();
    return progress;
}

void record(const Progress& progress, const py::list& cursor) {
    cursor[0] = progress.rows;
    cursor[1] = progress.total_loss;
    if (progress.total_penalty) cursor[2] = *progress.total_penalty;
}

// Engine with what it borrows: the layers' arrays and the optimizer's settings.
class PyEngine {
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
    static TrainingOperands operands(const Plan<T>& plan, const char* place, py::handle input,
                                     py::handle target, py::handle sample_weight,
                                     py::handle order = py::none()) {
        constexpr Dtype dtype = sizeof(T) == 4 ? Dtype::float32 : Dtype::float64;
        return {{place, plan.in_features(), plan.out_features(), plan.loss(), dtype},
                input,
                target,
                sample_weight,
                order};
    }

    template <class T>
    static Samples<T> samples_for(const Engine<T>&, const TrainingOperands& all) {
        return all.samples<T>();
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
    py::object step(py::handle input, py::handle target, py::handle sample_weight, py::handle schedule) {
        return step_and_penalty(input, target, sample_weight, schedule_of(schedule), nullptr);
    }

    py::object step_and_penalty(py::handle input, py::handle target, py::handle sample_weight,
                                PySchedule* schedule, double* penalty) {
        if (stale()) return py::none();
        return visit([&](auto& engine, Dtype dtype) -> py::object {
            const TrainingOperands all =
                operands(engine.plan(), "Trainer.step", input, target, sample_weight);
            check_parameters(dtype);
            const index_t rows = all.rows();
            if (rows == 0) throw py::value_error("Trainer.step: expected at least one row, got none");
            require_batches(engine.plan(), rows, rows);
            const double loss = run(static_cast<double>(rows) * engine.plan().work_per_row(), [&] {
                return engine.step(samples_for(engine, all), penalty != nullptr);
            });
            require_codes(engine.wrong_code());
            if (penalty) *penalty = engine.penalty();
            if (schedule) schedule->move_on(1);
            return py::float_(loss);
        });
    }

    // The same, and moves the cursor on: see run_part. False where the engine is out of date.
    bool step_and_record(py::handle input, py::handle target, const py::list& cursor, index_t rows,
                         py::handle sample_weight, py::handle schedule) {
        Progress progress = progress_of(cursor);
        double penalty = 0;
        double* const wanted = progress.total_penalty ? &penalty : nullptr;
        const py::object value =
            step_and_penalty(input, target, sample_weight, schedule_of(schedule), wanted);
        if (value.is_none()) return false;
        progress.rows += rows;
        progress.total_loss += value.cast<double>() * static_cast<double>(rows);
        if (wanted) *progress.total_penalty += penalty * static_cast<double>(rows);
        record(progress, cursor);
        return true;
    }

    // Trains from where the cursor stands, and moves it on: here and not in Python, where an interrupt might
    // come between a step and its record. See Engine::run.
    bool run_part(py::handle input, py::handle target, py::handle order, const py::list& cursor,
                  index_t batch_size, double seconds, py::handle sample_weight, py::handle coming) {
        if (stale()) return false;
        PySchedule* const schedule = schedule_of(coming);
        Progress progress = progress_of(cursor);
        visit([&](auto& engine, Dtype dtype) {
            const TrainingOperands all =
                operands(engine.plan(), "Trainer.fit", input, target, sample_weight, order);
            const index_t rows = all.rows();
            check_parameters(dtype);
            require_batches(engine.plan(), rows - progress.rows, std::min(batch_size, rows));
            const std::size_t steps = run(1e9, [&] {
                return engine.run(samples_for(engine, all), progress, std::min(batch_size, rows), seconds,
                                  schedule ? schedule->ahead() : Ahead{});
            });
            if (schedule) schedule->move_on(steps);
            record(progress, cursor);
            require_codes(engine.wrong_code());  // the steps before it stand
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
    m.def("numpy_view", numpy_view, py::arg("value"), py::arg("place"), py::arg("name"));
    m.def("structure_changed", [] { ++structure_revision; });
}

}  // namespace ne_torch
