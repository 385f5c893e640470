// The neon table: the templates of kernels/ over the vector types of this instruction set.
#include "isa/tables.hpp"
#include "isa/vec_neon.hpp"
#include "kernels/make_table.hpp"

namespace ne_torch {

constinit const KernelTable neon_table = make_table<neon::VecF32, neon::VecF64>("neon");

}  // namespace ne_torch
