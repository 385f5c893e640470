#include "training/plan.hpp"

#include <stdexcept>
#include <string>

namespace ne_torch {

template <class T>
void Plan<T>::add_linear(index_t in_features, index_t out_features, T* weight, T* bias,
                         const States<T>& weight_states, const States<T>& bias_states) {
    const bool first = work_per_row_ == 0;
    if (first) {
        for (Stage<T> stage : leading_) {
            stage.in_features = stage.out_features = in_features;
            stages_.push_back(stage);
        }
        first_dense_ = stages_.size();
    } else if (stages_.back().out_features != in_features) {
        throw std::invalid_argument(
            "Trainer: expected a Linear layer with in_features=" +
            std::to_string(stages_.back().out_features) +
            ", the width of the layer before it, got in_features=" + std::to_string(in_features));
    }
    stages_.push_back({StageKind::dense, in_features, out_features, Activation::identity, weight, bias,
                       weight_states, bias_states});
    const double product = static_cast<double>(in_features) * static_cast<double>(out_features);
    work_per_row_ += (first ? 2 : 3) * product;
}

template <class T>
void Plan<T>::add_elementwise(StageKind kind, Activation activation) {
    if (work_per_row_ == 0) {
        leading_.push_back({kind, 0, 0, activation});
        return;
    }
    Stage<T>& last = stages_.back();
    const bool fits_the_store = kind == StageKind::activation && activation == Activation::relu;
    if (fits_the_store && last.kind == StageKind::dense && last.activation == Activation::identity) {
        last.activation = activation;
        return;
    }
    const index_t width = last.out_features;
    stages_.push_back({kind, width, width, activation});
}

template class Plan<float>;
template class Plan<double>;

}  // namespace ne_torch
