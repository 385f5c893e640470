// What the engine trains: a chain of stages over the layers' own arrays, a loss, what an optimizer remembers.
//
// A Linear followed by a ReLU is one dense stage, whose activation sits in the store of the product; every
// other layer is a stage of its own. Parameters are borrowed: the arrays belong to the Python layers.
#pragma once

#include <array>
#include <vector>

#include "core/gemm_args.hpp"
#include "core/names.hpp"
#include "core/views.hpp"

namespace ne_torch {

template <class T>
using States = std::array<T*, kMaxStates>;

template <class T>
struct Stage {
    StageKind kind;
    index_t in_features;
    index_t out_features;
    Activation activation = Activation::identity;  // of a dense stage or an activation
    T* weight = nullptr;                           // (out_features, in_features)
    T* bias = nullptr;                             // (out_features,), or null
    States<T> weight_states = {};                  // of the optimizer; null where it wants none
    States<T> bias_states = {};
};

template <class T>
class Plan {
  public:
    explicit Plan(Loss loss) : loss_(loss) {}

    // Layers in order, by the number of features that the next one takes; each throws std::invalid_argument
    // where it does not fit the one before.
    void add_linear(index_t in_features, index_t out_features, T* weight, T* bias,
                    const States<T>& weight_states, const States<T>& bias_states);
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
