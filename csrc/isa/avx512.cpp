// The avx512 table: the templates of kernels/ over the vector types of this instruction set.
#include "isa/tables.hpp"
#include "isa/vec_avx512.hpp"
#include "kernels/make_table.hpp"

namespace ne_torch {

constinit const KernelTable avx512_table = make_table<avx512::VecF32, avx512::VecF64>("avx512");

}  // namespace ne_torch
