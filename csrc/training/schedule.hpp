// The hyperparameters of coming steps, one row a step, as a learning rate schedule foresees them: the engine
// takes many steps in one call, with the numbers of each. Called by the engine and by the bindings.
//
//   values (rows, groups, numbers); row i is for the step that follows i others
#pragma once

#include <cstddef>
#include <vector>

#include "training/optimizer_settings.hpp"

namespace ne_torch {

struct Schedule {
    using Number = double OptimizerSettings::*;

    std::vector<Number> numbers;
    std::size_t groups = 0;
    std::vector<double> values;

    std::size_t rows() const { return values.size() / (groups * numbers.size()); }

    const double* row(std::size_t step, std::size_t group) const {
        return values.data() + (step * groups + group) * numbers.size();
    }

    // Gives the group's settings the numbers of a step.
    void apply(std::size_t step, std::size_t group, OptimizerSettings& settings) const {
        const double* const value = row(step, group);
        for (std::size_t i = 0; i < numbers.size(); ++i) settings.*numbers[i] = value[i];
    }
};

// What of it lies ahead: steps from `next` on, each of which has a row after it for the settings it leaves.
struct Ahead {
    const Schedule* schedule = nullptr;  // null: the settings stay as they are
    std::size_t next = 0;

    bool allows(std::size_t steps) const { return !schedule || next + steps < schedule->rows(); }
    void apply(std::size_t step, std::size_t group, OptimizerSettings& settings) const {
        if (schedule) schedule->apply(next + step, group, settings);
    }
};

}  // namespace ne_torch
