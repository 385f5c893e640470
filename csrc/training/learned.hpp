// An array that is learned, as a stage borrows it from its Python layer, with what the optimizer remembers of
// it.
#pragma once

#include <array>
#include <cstddef>

#include "core/update_options.hpp"
#include "core/views.hpp"

namespace ne_torch {

template <class T>
using States = std::array<T*, kMaxStates>;

template <class T>
struct Learned {
    T* data = nullptr;      // null: there is none
    States<T> states = {};  // laid out as data; null where the optimizer wants none
    std::size_t group = 0;  // of the optimizer's parameter groups
};

// The gradient of one, which a stage has kept; a row is along the parameter's last axis.
template <class T>
struct Gradient {
    Learned<T> parameter;
    index_t rows;
    index_t cols;
    Matrix<const T> value;
};

}  // namespace ne_torch
