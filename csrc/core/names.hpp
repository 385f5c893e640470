// Enums with their names: what the kernels distinguish at run time, as Python spells it.
//
// A new element-wise activation or loss starts with its line here; see CONTRIBUTING.md.
#pragma once

namespace ne_torch {

enum class Activation { identity, relu };
enum class Loss { mse };

template <class Enum>
struct Named {
    Enum value;
    const char* name;
};

inline constexpr Named<Activation> kActivations[] = {
    {Activation::identity, "identity"},
    {Activation::relu, "relu"},
};

inline constexpr Named<Loss> kLosses[] = {
    {Loss::mse, "mse"},
};

}  // namespace ne_torch
