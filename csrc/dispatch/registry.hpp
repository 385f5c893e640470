// Which kernel tables this build has, which of them this machine runs, and which one is in use.
#pragma once

#include <string>
#include <vector>

#include "core/kernel_table.hpp"

namespace ne_torch {

// Tables this machine can run, the fastest first.
const std::vector<const KernelTable*>& available_tables();

// The table in use: NE_TORCH_ISA where it is set, otherwise the fastest. Throws std::invalid_argument for a
// name nobody knows and std::runtime_error for one this machine cannot run; either lists the names that work.
const KernelTable& active_table();

// Changes the table in use, with the same errors. Not while other threads compute.
void select_table(const std::string& name);

template <class T>
const Kernels<T>& active_kernels() {
    return kernels_of<T>(active_table());
}

}  // namespace ne_torch
