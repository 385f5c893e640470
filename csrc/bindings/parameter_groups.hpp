// The settings of an optimizer's parameter groups, and the schedule that changes them from step to step.
#pragma once

#include <optional>

#include "bindings/arrays.hpp"
#include "training/schedule.hpp"

namespace ne_torch {

// Borrowed from Python, where each group holds its own.
class ParameterGroups {
  public:
    explicit ParameterGroups(py::list objects);

    std::size_t size() const { return settings_.size(); }
    OptimizerSettings& operator[](std::size_t group) const { return *settings_.at(group); }
    const std::vector<OptimizerSettings*>& all() const { return settings_; }
    void require_finite(Dtype dtype, const char* place) const;
    void count_steps(std::int64_t taken) const;

  private:
    py::list objects_;
    std::vector<OptimizerSettings*> settings_;
};

// _core.Schedule: a table of coming hyperparameters, how far it has been used, and the scheduler's counter,
// a list of one number. Settings, counter and place move on together, here and not in Python, where an
// interrupt might come in between.
class PySchedule {
  public:
    PySchedule(const py::list& settings, const std::vector<std::string>& names,
               const py::array_t<double, py::array::c_style | py::array::forcecast>& values,
               py::list counter);

    std::size_t left() const { return schedule_.rows() - 1 - next_; }
    // Whether nobody has changed settings or counter since this table was made, or used last.
    bool current() const;
    Ahead ahead() const { return {&schedule_, next_}; }
    void move_on(std::size_t steps);

  private:
    ParameterGroups groups_;
    Schedule schedule_;
    py::list counter_;
    std::int64_t first_;  // the counter at row 0
    std::size_t next_ = 0;
};

// The schedule of a call, or null for None: for None as an argument of a class pybind11 asks every other
// module first, half a microsecond a call.
inline PySchedule* schedule_of(py::handle schedule) {
    return schedule.is_none() ? nullptr : schedule.cast<PySchedule*>();
}

}  // namespace ne_torch
