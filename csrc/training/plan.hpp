// What the engine trains: a chain of stages over the layers' own arrays, and a loss.
//
// Parameters are borrowed: the arrays belong to the Python layers. A layer that takes any width is given that
// of the layer before it, or of the first one behind it that has a width of its own.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/names.hpp"
#include "functional/loss_settings.hpp"
#include "training/learned.hpp"
#include "training/stage.hpp"

namespace ne_torch {

template <class T>
class Plan {
  public:
    using StagePointer = std::unique_ptr<Stage<T>>;
    using MakeStage = std::function<StagePointer(index_t width)>;

    // Borrows the loss, too.
    explicit Plan(const LossSettings& loss) : loss_(&loss) {}

    // Layers in order; each throws std::invalid_argument where its width is not that of the one before.
    void add_linear(index_t in_features, index_t out_features, const Learned<T>& weight,
                    const Learned<T>& bias);
    void add_activation(const ActivationOptions<T>& options);
    void add_softmax();
    void add_log_softmax();
    void add(StagePointer stage);      // of a width of its own
    void add(const MakeStage& stage);  // of any width

    // Gives layers of any width one, where none had its own; std::invalid_argument where the plan does not
    // take and give as many features.
    void settle(index_t width);

    Stage<T>& stage(std::size_t i) const { return *stages_[i]; }
    std::size_t size() const { return stages_.size(); }
    // Whether what surrounds stage i is one: output and input, grad_input and grad_output.
    bool in_place(std::size_t i) const { return in_place_[i]; }
    const LossSettings& loss() const { return *loss_; }
    index_t in_features() const { return stages_.front()->in_features; }
    index_t out_features() const { return stages_.back()->out_features; }
    std::size_t first_learning() const { return first_learning_; }  // no gradient is needed before it
    double work_per_row() const { return work_per_row_; }  // multiply-adds of forward, backward and update
    // Elements that a sample occupies: values and gradients between stages, with copies about three a
    // feature; none more for a stage that works in place.
    index_t room_per_row() const { return room_per_row_; }
    bool mixes_samples() const { return mixes_samples_; }
    // All that is learned, and where its gradients are kept, if they are.
    void list_gradients(std::vector<Gradient<T>>& gradients) const {
        for (const StagePointer& stage : stages_) stage->list_gradients(gradients);
    }

  private:
    void append(StagePointer stage);

    const LossSettings* loss_;
    std::vector<StagePointer> stages_;
    std::vector<bool> in_place_;      // by stage
    std::vector<MakeStage> leading_;  // layers before any that has a width of its own
    std::size_t first_learning_ = 0;
    double work_per_row_ = 0;
    index_t room_per_row_ = 0;
    bool mixes_samples_ = false;
};

}  // namespace ne_torch
