// What the engine trains: a chain of stages over the layers' own arrays, a loss, an optimizer's settings.
//
// A Linear followed by a ReLU is one dense stage, whose activation sits in the store of the product; every
// other layer is a stage of its own. Parameters are borrowed: the arrays belong to the Python layers.
#pragma once

#include <vector>

#include "core/gemm_args.hpp"
#include "core/names.hpp"
#include "core/views.hpp"

namespace ne_torch {

template <class T>
struct Stage {
    StageKind kind;
    index_t in_features;
    index_t out_features;
    Activation activation = Activation::identity;  // of a dense stage or an activation
    T* weight = nullptr;                           // (out_features, in_features)
    T* bias = nullptr;                             // (out_features,), or null
    T* weight_velocity = nullptr;                  // null without momentum
    T* bias_velocity = nullptr;
};

// torch.optim.SGD's hyperparameters, shared with the Python optimizer, which may change them between steps.
struct SgdSettings {
    double lr = 0;
    double momentum = 0;
    double weight_decay = 0;
    bool nesterov = false;

    template <class T>
    SgdOptions<T> rounded() const {
        return {static_cast<T>(lr), static_cast<T>(momentum), static_cast<T>(weight_decay), nesterov};
    }
};

template <class T>
class Plan {
  public:
    explicit Plan(Loss loss) : loss_(loss) {}

    // Layers in order, by the number of features that the next one takes; each throws std::invalid_argument
    // where it does not fit the one before.
    void add_linear(index_t in_features, index_t out_features, T* weight, T* bias, T* weight_velocity,
                    T* bias_velocity);
    void add_activation(Activation activation) { add_elementwise(StageKind::activation, activation); }
    void add_softmax() { add_elementwise(StageKind::softmax, Activation::identity); }

    const std::vector<Stage<T>>& stages() const { return stages_; }
    Loss loss() const { return loss_; }
    index_t in_features() const { return stages_.front().in_features; }
    index_t out_features() const { return stages_.back().out_features; }
    std::size_t first_dense() const { return first_dense_; }  // no gradient is needed before it
    double work_per_row() const { return work_per_row_; }     // multiply-adds of forward, backward and update

  private:
    void add_elementwise(StageKind kind, Activation activation);

    Loss loss_;
    std::vector<Stage<T>> stages_;
    std::vector<Stage<T>> leading_;  // before the first Linear, when their width is not known yet
    std::size_t first_dense_ = 0;
    double work_per_row_ = 0;
};

}  // namespace ne_torch
