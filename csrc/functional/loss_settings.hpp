// A loss with its options, rounded once to each dtype: what a Python loss holds. Immutable.
#pragma once

#include <vector>

#include "core/loss_args.hpp"

namespace ne_torch {

class LossSettings {
  public:
    // weight and pos_weight have a number for each class, one for all, or none
    LossSettings(const LossOptions<double>& options, Reduction reduction, std::vector<double> weight,
                 std::vector<double> pos_weight);
    LossSettings(const LossSettings&) = delete;
    LossSettings& operator=(const LossSettings&) = delete;

    template <class T>
    const LossOptions<T>& options() const;
    Loss kind() const { return wide_.kind; }
    Reduction reduction() const { return reduction_; }
    const std::vector<double>& weight() const { return weight_; }
    const std::vector<double>& pos_weight() const { return pos_weight_; }

  private:
    Reduction reduction_;
    std::vector<double> weight_, pos_weight_;
    std::vector<float> narrow_weight_, narrow_pos_weight_;
    LossOptions<double> wide_;
    LossOptions<float> narrow_;
};

// A loss reads its own; an option that is new to all of them is a line in core/loss_args.hpp, one here and
// one in loss_settings.cpp.
inline constexpr Named<double LossOptions<double>::*> kLossNumbers[] = {
    {&LossOptions<double>::delta, "delta"},
    {&LossOptions<double>::beta, "beta"},
    {&LossOptions<double>::quantile, "quantile"},
    {&LossOptions<double>::eps, "eps"},
    {&LossOptions<double>::label_smoothing, "label_smoothing"},
};
inline constexpr Named<bool LossOptions<double>::*> kLossFlags[] = {
    {&LossOptions<double>::log_input, "log_input"},
    {&LossOptions<double>::full, "full"},
};

}  // namespace ne_torch
