#include "training/plan.hpp"

#include <stdexcept>
#include <string>
#include <utility>

#include "training/stages/activation.hpp"
#include "training/stages/dense.hpp"
#include "training/stages/softmax.hpp"

namespace ne_torch {

template <class T>
void Plan<T>::add_linear(index_t in_features, index_t out_features, const Learned<T>& weight,
                         const Learned<T>& bias) {
    auto dense = std::make_unique<DenseStage<T>>(in_features, out_features, weight, bias);
    if (!stages_.empty()) {
        if (auto* before = dynamic_cast<DenseStage<T>*>(stages_.back().get())) dense->gate_input(*before);
    }
    add(std::move(dense));
}

template <class T>
void Plan<T>::add_activation(const ActivationOptions<T>& options) {
    if (options.kind == Activation::identity) return;
    if (options.kind == Activation::relu && !stages_.empty()) {
        auto* dense = dynamic_cast<DenseStage<T>*>(stages_.back().get());
        if (dense && dense->take_relu()) return;
    }
    add([options](index_t width) { return std::make_unique<ActivationStage<T>>(width, options); });
}

template <class T>
void Plan<T>::add_softmax() {
    add([](index_t width) { return std::make_unique<SoftmaxStage<T>>(width, false); });
}

template <class T>
void Plan<T>::add_log_softmax() {
    add([](index_t width) { return std::make_unique<SoftmaxStage<T>>(width, true); });
}

template <class T>
void Plan<T>::add(StagePointer stage) {
    if (stages_.empty()) {
        for (const MakeStage& make : leading_) append(make(stage->in_features));
    } else if (stages_.back()->out_features != stage->in_features) {
        throw std::invalid_argument(
            "Trainer: expected a layer with in_features=" + std::to_string(stages_.back()->out_features) +
            ", the width of the layer before it, got in_features=" + std::to_string(stage->in_features));
    }
    append(std::move(stage));
}

template <class T>
void Plan<T>::add(const MakeStage& make) {
    if (stages_.empty()) {
        leading_.push_back(make);
    } else {
        append(make(stages_.back()->out_features));
    }
}

template <class T>
void Plan<T>::settle(index_t width) {
    if (stages_.empty()) {
        for (const MakeStage& make : leading_) append(make(width));
    }
    if (!stages_.empty() && (in_features() != width || out_features() != width)) {
        throw std::invalid_argument("Trainer: expected layers of a Residual that take and give " +
                                    std::to_string(width) + " features, got " +
                                    std::to_string(in_features()) + " and " + std::to_string(out_features()));
    }
}

template <class T>
void Plan<T>::append(StagePointer stage) {
    const bool learned_before = first_learning_ < stages_.size();
    work_per_row_ += stage->work_per_row(!learned_before);
    const bool in_place = stage->works_in_place() && (stages_.empty() || !stages_.back()->reads_output());
    if (!in_place || stages_.empty()) room_per_row_ += stage->in_features + 2 * stage->out_features;
    in_place_.push_back(in_place);
    mixes_samples_ = mixes_samples_ || stage->mixes_samples();
    if (!learned_before) first_learning_ = stages_.size() + (stage->learns() ? 0 : 1);
    stages_.push_back(std::move(stage));
}

template class Plan<float>;
template class Plan<double>;

}  // namespace ne_torch
