// What compilers spell differently. Forced inlining: around the register tile, where a call would push the
// accumulators to memory, and for helpers that files built with instruction-set flags share with others (a
// weak copy of one, compiled with those flags, must not be the one the linker keeps for everybody). Forbidden
// inlining: for what would otherwise stand in every shape of the tile.
#pragma once

#if defined(_MSC_VER) && !defined(__clang__)
#define NE_TORCH_INLINE __forceinline
#define NE_TORCH_NOINLINE __declspec(noinline)
#define NE_TORCH_INLINE_LAMBDA
#define NE_TORCH_PREFETCH(p) ((void)(p))
#define NE_TORCH_PREFETCH_L2(p) ((void)(p))
#define NE_TORCH_PREFETCH_WRITE(p) ((void)(p))
#else
#define NE_TORCH_INLINE inline __attribute__((always_inline))
#define NE_TORCH_NOINLINE __attribute__((noinline))
#define NE_TORCH_INLINE_LAMBDA __attribute__((always_inline))
#define NE_TORCH_PREFETCH(p) __builtin_prefetch(p)
#define NE_TORCH_PREFETCH_L2(p) __builtin_prefetch((p), 0, 2)
#define NE_TORCH_PREFETCH_WRITE(p) __builtin_prefetch((p), 1)
#endif
