// What the processor, and the operating system with it, can execute.
#pragma once

namespace ne_torch {

bool cpu_has_avx2_fma();
bool cpu_has_avx512();
bool cpu_has_fma();  // std::fma is one instruction, not a library routine

}  // namespace ne_torch
