// Enums with their names: what the kernels distinguish at run time, as Python spells it.
//
// A new element-wise activation, loss or optimizer starts with its line here; see CONTRIBUTING.md.
#pragma once

#include "core/compiler.hpp"

namespace ne_torch {

enum class Activation {
    identity,
    relu,
    leaky_relu,
    hardtanh,
    elu,
    selu,
    sigmoid,
    tanh,
    silu,
    softplus,
    gelu,
    gelu_tanh,
};
enum class Loss {
    mse,
    l1,
    huber,
    smooth_l1,
    quantile,
    bce_with_logits,
    poisson_nll,
    cross_entropy,
    nll,
};
enum class Reduction { mean, sum, none };
enum class Optimizer { sgd, adam, rmsprop, adagrad };
enum class StageKind {  // of a frozen network, see serving/
    dense,
    activation,
    softmax,
    log_softmax,
    layer_norm,
    scale_shift,
    keep,
    add_kept,
    tabular_embedding,
};
enum class WeightFormat { same, bfloat16, int8_per_row };  // same: the dtype of the arithmetic

template <class Enum>
struct Named {
    Enum value;
    const char* name;
};

inline constexpr Named<Activation> kActivations[] = {
    {Activation::identity, "identity"}, {Activation::relu, "relu"}, {Activation::leaky_relu, "leaky_relu"},
    {Activation::hardtanh, "hardtanh"}, {Activation::elu, "elu"},   {Activation::selu, "selu"},
    {Activation::sigmoid, "sigmoid"},   {Activation::tanh, "tanh"}, {Activation::silu, "silu"},
    {Activation::softplus, "softplus"}, {Activation::gelu, "gelu"}, {Activation::gelu_tanh, "gelu_tanh"},
};

// Whether the derivative is computed from the output; from the input otherwise.
NE_TORCH_INLINE constexpr bool keeps_output(Activation kind) {
    return kind == Activation::identity || kind == Activation::relu || kind == Activation::sigmoid ||
           kind == Activation::tanh;
}

inline constexpr Named<Loss> kLosses[] = {
    {Loss::mse, "mse"},
    {Loss::l1, "l1"},
    {Loss::huber, "huber"},
    {Loss::smooth_l1, "smooth_l1"},
    {Loss::quantile, "quantile"},
    {Loss::bce_with_logits, "bce_with_logits"},
    {Loss::poisson_nll, "poisson_nll"},
    {Loss::cross_entropy, "cross_entropy"},
    {Loss::nll, "nll"},
};

inline constexpr Named<Reduction> kReductions[] = {
    {Reduction::mean, "mean"},
    {Reduction::sum, "sum"},
    {Reduction::none, "none"},
};

inline constexpr Named<Optimizer> kOptimizers[] = {
    {Optimizer::sgd, "sgd"},
    {Optimizer::adam, "adam"},
    {Optimizer::rmsprop, "rmsprop"},
    {Optimizer::adagrad, "adagrad"},
};

}  // namespace ne_torch
