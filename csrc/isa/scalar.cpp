// The scalar table: the templates of kernels/ over the vector types of this instruction set.
#include "isa/tables.hpp"
#include "isa/vec_scalar.hpp"
#include "kernels/make_table.hpp"

namespace ne_torch {

constinit const KernelTable scalar_table = make_table<scalar::VecF32, scalar::VecF64>("scalar");

}  // namespace ne_torch
