// Changes to the structure of any model or optimizer: an engine made before one may be out of date.
#pragma once

#include <atomic>
#include <cstdint>

namespace ne_torch {

inline std::atomic<std::uint64_t> structure_revision{0};

}  // namespace ne_torch
