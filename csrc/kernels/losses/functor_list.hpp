// The functors of a header, so that a new one is known where it is written.
#pragma once

#include "core/compiler.hpp"

namespace ne_torch {

template <class... Functors>
struct FunctorList {};

// Calls body with the functor of options.kind, if it is in the list.
template <class Options, class Body, class... Functors>
NE_TORCH_INLINE void with_functor_of(FunctorList<Functors...>, const Options& options, Body body) {
    ((options.kind == Functors::kind ? body(Functors(options)) : void()), ...);
}

}  // namespace ne_torch
