// An array that is learned, as a stage borrows it from its Python layer, with what the optimizer remembers of
// it.
#pragma once

#include <array>
#include <cstddef>

#include "core/update_options.hpp"

namespace ne_torch {

template <class T>
using States = std::array<T*, kMaxStates>;

template <class T>
struct Learned {
    T* data = nullptr;      // null: there is none
    States<T> states = {};  // laid out as data; null where the optimizer wants none
    std::size_t group = 0;  // of the optimizer's parameter groups
};

}  // namespace ne_torch
