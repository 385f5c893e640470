// The avx2 table: the templates of kernels/ over the vector types of this instruction set.
#include "isa/tables.hpp"
#include "isa/vec_avx2.hpp"
#include "kernels/make_table.hpp"

namespace ne_torch {

constinit const KernelTable avx2_table = make_table<avx2::VecF32, avx2::VecF64>("avx2");

}  // namespace ne_torch
