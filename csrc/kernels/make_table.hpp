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

template <class V>
constexpr Kernels<typename V::T> make_kernels() {
    return {
        .lanes = V::lanes,
        .tile_rows = V::max_rows,
        .tile_cols = V::max_vectors * V::lanes,
        .gemm = gemm<V>,
        .gemm_workspace = gemm_workspace<V>,
        .few_vectors = few_vectors<V>(),
        .matvec = matvec<V>,
        .panel_forward = panel_forward<V>,
        .transpose = transpose<V>,
        .row_sums = row_sums<V>,
        .column_sums = column_sums<V>,
        .row_dots = row_dots<V>,
        .column_dots = column_dots<V>,
        .add = add<V>,
        .scale_shift = scale_shift<V>,
        .scale_bytes = scale_bytes<V>,
        .row_square_sums = row_square_sums<V>,
        .activation_forward = activation_forward<V>,
        .activation_backward = activation_backward<V>,
        .activation_backward_saved = activation_backward_saved<V>,
        .softmax_forward = softmax_forward<V>,
        .softmax_backward = softmax_backward<V>,
        .dropout = dropout<V>,
        .layer_norm_forward = layer_norm_forward<V>,
        .layer_norm_backward = layer_norm_backward<V>,
        .batch_norm_forward = batch_norm_forward<V>,
        .batch_norm_backward = batch_norm_backward<V>,
        .log_softmax_forward = log_softmax_forward<V>,
        .log_softmax_backward = log_softmax_backward<V>,
        .loss_forward = loss_forward<V>,
        .loss_backward = loss_backward<V>,
        .update = update<V>,
    };
}

template <class VecF32, class VecF64>
constexpr KernelTable make_table(const char* name) {
    return {name, make_kernels<VecF32>(), make_kernels<VecF64>()};
}

}  // namespace ne_torch
