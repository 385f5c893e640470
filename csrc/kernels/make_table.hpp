// Fills a KernelTable from the templates, for one pair of vector types. Called by isa/<name>.cpp alone.
#pragma once

#include "core/kernel_table.hpp"
#include "kernels/activations.hpp"
#include "kernels/batch_norm.hpp"
#include "kernels/bytes.hpp"
#include "kernels/dropout.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/gemm.hpp"
#include "kernels/layer_norm.hpp"
#include "kernels/log_softmax.hpp"
#include "kernels/losses/losses.hpp"
#include "kernels/matvec.hpp"
#include "kernels/panels.hpp"
#include "kernels/softmax.hpp"
#include "kernels/square_sums.hpp"
#include "kernels/sums.hpp"
#include "kernels/transpose.hpp"
#include "kernels/update.hpp"

namespace ne_torch {

// A kernel as it is called from outside. With AVX, what it leaves in the upper halves of registers would slow
// every SSE instruction of whoever goes on, up to fifty times on some processors, and GCC 12 does not clear
// them everywhere.
template <class V, auto kernel>
struct Entry;
template <class V, class... Args, void (*kernel)(Args...)>
struct Entry<V, kernel> {
    static void run(Args... args) {
        kernel(args...);
        V::clear_upper_halves();
    }
};

template <class V>
constexpr Kernels<typename V::T> make_kernels() {
    return {
        .lanes = V::lanes,
        .tile_rows = V::max_rows,
        .tile_cols = V::max_vectors * V::lanes,
        .gemm = Entry<V, gemm<V>>::run,
        .gemm_workspace = gemm_workspace<V>,
        .few_vectors = few_vectors<V>(),
        .matvec = Entry<V, matvec<V>>::run,
        .panel_forward = Entry<V, panel_forward<V>>::run,
        .transpose = Entry<V, transpose<V>>::run,
        .row_sums = Entry<V, row_sums<V>>::run,
        .column_sums = Entry<V, column_sums<V>>::run,
        .row_dots = Entry<V, row_dots<V>>::run,
        .column_dots = Entry<V, column_dots<V>>::run,
        .add = Entry<V, add<V>>::run,
        .scale_shift = Entry<V, scale_shift<V>>::run,
        .scale_bytes = Entry<V, scale_bytes<V>>::run,
        .row_square_sums = Entry<V, row_square_sums<V>>::run,
        .activation_forward = Entry<V, activation_forward<V>>::run,
        .activation_backward = Entry<V, activation_backward<V>>::run,
        .activation_backward_saved = Entry<V, activation_backward_saved<V>>::run,
        .softmax_forward = Entry<V, softmax_forward<V>>::run,
        .softmax_backward = Entry<V, softmax_backward<V>>::run,
        .dropout = Entry<V, dropout<V>>::run,
        .layer_norm_forward = Entry<V, layer_norm_forward<V>>::run,
        .layer_norm_backward = Entry<V, layer_norm_backward<V>>::run,
        .batch_norm_forward = Entry<V, batch_norm_forward<V>>::run,
        .batch_norm_backward = Entry<V, batch_norm_backward<V>>::run,
        .log_softmax_forward = Entry<V, log_softmax_forward<V>>::run,
        .log_softmax_backward = Entry<V, log_softmax_backward<V>>::run,
        .loss = Entry<V, loss<V>>::run,
        .update = Entry<V, update<V>>::run,
    };
}

template <class VecF32, class VecF64>
constexpr KernelTable make_table(const char* name) {
    return {name, make_kernels<VecF32>(), make_kernels<VecF64>()};
}

}  // namespace ne_torch
