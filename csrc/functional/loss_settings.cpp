#include "functional/loss_settings.hpp"

#include <utility>

namespace ne_torch {
namespace {

std::vector<float> rounded(const std::vector<double>& values) { return {values.begin(), values.end()}; }

template <class T>
const T* data_or_null(const std::vector<T>& values) {
    return values.empty() ? nullptr : values.data();
}

}  // namespace

LossSettings::LossSettings(const LossOptions<double>& options, Reduction reduction,
                           std::vector<double> weight, std::vector<double> pos_weight)
    : reduction_(reduction),
      weight_(std::move(weight)),
      pos_weight_(std::move(pos_weight)),
      narrow_weight_(rounded(weight_)),
      narrow_pos_weight_(rounded(pos_weight_)),
      wide_(options),
      narrow_{.kind = options.kind,
              .delta = static_cast<float>(options.delta),
              .beta = static_cast<float>(options.beta),
              .quantile = static_cast<float>(options.quantile),
              .eps = static_cast<float>(options.eps),
              .log_input = options.log_input,
              .full = options.full,
              .label_smoothing = static_cast<float>(options.label_smoothing),
              .ignore_index = options.ignore_index,
              .weight = data_or_null(narrow_weight_),
              .pos_weight = data_or_null(narrow_pos_weight_),
              .weight_step = weight_.size() == 1 ? 0 : 1,
              .pos_weight_step = pos_weight_.size() == 1 ? 0 : 1} {
    wide_.weight = data_or_null(weight_);
    wide_.pos_weight = data_or_null(pos_weight_);
    wide_.weight_step = narrow_.weight_step;
    wide_.pos_weight_step = narrow_.pos_weight_step;
    if (options.kind == Loss::smooth_l1 && wide_.beta == 0) wide_.kind = Loss::l1;  // what it tends to
    if (options.kind == Loss::smooth_l1 && narrow_.beta == 0) narrow_.kind = Loss::l1;
}

template <>
const LossOptions<float>& LossSettings::options() const {
    return narrow_;
}
template <>
const LossOptions<double>& LossSettings::options() const {
    return wide_;
}

}  // namespace ne_torch
