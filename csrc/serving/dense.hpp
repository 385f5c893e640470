// A dense layer whose weights lie in panels, by the kernel that suits its rows: a few pass the panels as they
// lie, many are a product with each panel, in blocks of terms that stay in the cache, or with the one column
// that a single output is. The same bits either way. Called by the predictor.
#pragma once

#include "core/kernel_table.hpp"
#include "core/panels.hpp"

namespace ne_torch {

// Elements of room that dense_forward needs, wherever x and y lie.
template <class T>
index_t dense_packing(const Kernels<T>& kernels, const PanelArgs<T>& args);

template <class T>
void dense_forward(const Kernels<T>& kernels, const PanelArgs<T>& args, T* packing);

}  // namespace ne_torch
