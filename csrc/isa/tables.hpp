// The tables that exist, one per file isa/<name>.cpp. CMake's add_isa decides which are compiled;
// dispatch/registry.cpp is the only reader.
#pragma once

#include "core/kernel_table.hpp"

namespace ne_torch {

extern const KernelTable scalar_table;
extern const KernelTable avx2_table;
extern const KernelTable avx512_table;
extern const KernelTable neon_table;

}  // namespace ne_torch
