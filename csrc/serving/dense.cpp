#include "serving/dense.hpp"

#include <algorithm>

#include "core/gemm_args.hpp"
#include "core/matvec_args.hpp"

namespace ne_torch {
namespace {

// From twice as many rows on as a tile has accumulators, what a product saves pays for its blocks of terms,
// whose sums pass through memory.
template <class T>
bool is_product(const Kernels<T>& kernels, const PanelArgs<T>& args) {
    const index_t accumulators = kernels.tile_rows * kernels.tile_cols / kernels.lanes;
    return args.rows >= 2 * accumulators && args.format == WeightFormat::same && !args.scale;
}

// Of the panel whose first output is `first`.
template <class T>
GemmArgs<T> product(const PanelArgs<T>& args, index_t first) {
    const auto* const panels = static_cast<const T*>(args.panels);
    GemmArgs<T> g;
    g.m = args.rows;
    g.n = std::min(kPanelWidth<T>, args.out_features - first);
    g.k = args.in_features;
    g.a = args.x;
    g.b = {panels + first * args.in_features, panel_width<T>(args.out_features, first), 1};
    g.c = {args.y.at(0, first), args.y.row_stride, 1};
    g.epilogue = Epilogue::bias_column;
    g.activation = args.activation;
    g.bias = args.bias ? args.bias + first : nullptr;
    return g;
}

// The layer of one panel's outputs.
template <class T>
PanelArgs<T> panel_of(const PanelArgs<T>& args, index_t first) {
    const index_t size = args.format == WeightFormat::same       ? sizeof(T)
                         : args.format == WeightFormat::bfloat16 ? 2
                                                                 : 1;
    PanelArgs<T> panel = args;
    panel.out_features = std::min(kPanelWidth<T>, args.out_features - first);
    panel.panels = static_cast<const char*>(args.panels) + first * args.in_features * size;
    if (args.bias) panel.bias += first;
    if (args.scale) panel.scale += first;
    panel.y.data = args.y.at(0, first);
    return panel;
}

// One output of rows that fill a vector: they lie along the lanes, for outputs would leave all but one of
// them without work.
template <class T>
bool is_column(const Kernels<T>& kernels, const PanelArgs<T>& args) {
    return args.out_features == 1 && args.rows >= kernels.lanes && args.format == WeightFormat::same &&
           !args.scale && args.activation == Activation::identity;
}

template <class T>
void column_forward(const Kernels<T>& kernels, const PanelArgs<T>& args, T* weight) {
    const auto* const panel = static_cast<const T*>(args.panels);
    for (index_t k = 0; k < args.in_features; ++k) weight[k] = panel[k * panel_width<T>(1, 0)];
    MatvecArgs<T> g;
    g.rows = args.rows;
    g.cols = args.in_features;
    g.matrix = args.x;
    g.vectors = {weight, args.in_features, 1};
    g.bias = args.bias;
    g.result = {args.y.data, args.rows, 1};
    kernels.matvec(g);
}

}  // namespace

template <class T>
index_t dense_packing(const Kernels<T>& kernels, const PanelArgs<T>& args) {
    const index_t column = is_column(kernels, args) ? args.in_features : 0;
    if (!is_product(kernels, args)) return column;
    GemmArgs<T> g = product(args, 0);
    g.a.row_stride = 4096;  // at which rows have to be copied, if at any
    return std::max(column, kernels.gemm_workspace(g));
}

template <class T>
void dense_forward(const Kernels<T>& kernels, const PanelArgs<T>& args, T* packing) {
    if (is_column(kernels, args) && args.y.row_stride == 1) return column_forward(kernels, args, packing);
    if (!is_product(kernels, args)) {
        if (!args.from_last) return kernels.panel_forward(args);
        index_t first = (args.out_features - 1) / kPanelWidth<T> * kPanelWidth<T>;
        for (; first >= 0; first -= kPanelWidth<T>) kernels.panel_forward(panel_of(args, first));
        return;
    }
    for (index_t first = 0; first < args.out_features; first += kPanelWidth<T>) {
        GemmArgs<T> g = product(args, first);
        g.workspace = packing;
        kernels.gemm(g);
    }
}

template index_t dense_packing(const Kernels<float>&, const PanelArgs<float>&);
template index_t dense_packing(const Kernels<double>&, const PanelArgs<double>&);
template void dense_forward(const Kernels<float>&, const PanelArgs<float>&, float*);
template void dense_forward(const Kernels<double>&, const PanelArgs<double>&, double*);

}  // namespace ne_torch
