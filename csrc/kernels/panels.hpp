// The forward pass of a dense layer in panels; see core/panels.hpp for the formula and the layout.
//
//   for a tile height MR             as many whole tiles as there are rows, then the next smaller height
//     for NV vectors of outputs      of one panel
//       for a tile of MR rows        MR x NV chains
//
// Few rows take many vectors, so that there are always enough chains to hide the latency of an FMA. Many rows
// are better off as a product, in blocks of terms: see serving/dense.hpp.
#pragma once

#include <cstdint>

#include "core/compiler.hpp"
#include "core/panels.hpp"
#include "kernels/lanes.hpp"

namespace ne_torch {

// The most rows of a tile, of two vectors: so many pass over the weights at once.
template <class V>
constexpr int kPanelRows = V::max_vectors > 2 ? V::max_rows * V::max_vectors / 2 : V::max_rows;

// Accumulators, a row of weights and an input have to fit the registers, 4/3 of a gemm tile's accumulators.
template <class V, int MR>
constexpr int panel_vectors() {
    constexpr int registers = V::max_rows * V::max_vectors * 4 / 3;
    int vectors = 8;
    while (MR > 1 && vectors > 1 && (MR + 1) * vectors + 1 > registers) vectors /= 2;
    return vectors;
}

// ReLU costs one instruction in the store; an activation that costs more is a pass of its own.
template <class V>
inline V activate(Activation activation, V x) {
    return activation == Activation::relu ? V::max(V::broadcast(0), x) : x;
}

static constexpr int next_height(int height) { return height > 8 ? 8 : height > 4 ? 4 : height / 2; }

// A few rows pass over their weights faster than they come from beyond the first-level cache, even with the
// processor's own prefetchers: asked for a few terms early, they take 12 to 18 % less time (Zen 3). With
// AVX-512, where every load is a line, that pays from beyond the second level (half of 1 MiB) on.
template <class V>
constexpr index_t kPrefetchedWeights = kVectorIsLine<V> ? 524288 : 65536;
template <int MR>
constexpr index_t kPrefetchDistance = MR == 1 ? 2048 : 4096;

template <class V, int MR, int NV, class Stored>
NE_TORCH_INLINE void panel_tile(const PanelArgs<typename V::T>& g, const Stored* panels, index_t row,
                                index_t column) {
    using T = typename V::T;
    static_assert(8 * V::lanes <= kPanelWidth<T>, "the vectors of a tile lie in one panel");
    const index_t first = column / kPanelWidth<T> * kPanelWidth<T>;  // output of the panel
    const index_t width = panel_width<T>(g.out_features, first);
    const Stored* w = panels + first * g.in_features + (column - first);
    V sum[MR][NV];
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) sum[r][v] = V::broadcast(0);
    }
    // Rows are reached from one pointer in four, as in the micro-kernel of gemm.
    constexpr int groups = (MR + 3) / 4;
    const index_t row_stride = g.x.row_stride;
    const T* x[groups];
#pragma GCC unroll 4
    for (int i = 0; i < groups; ++i) x[i] = g.x.at(row + index_t{4} * i, 0);
    const bool prefetch =
        g.in_features * g.out_features > kPrefetchedWeights<V> / static_cast<index_t>(sizeof(Stored));
    for (index_t k = 0; k < g.in_features; ++k) {
        if (prefetch) {
#pragma GCC unroll 8
            for (int line = 0; line < NV * V::lanes * static_cast<int>(sizeof(Stored)); line += 64) {
                NE_TORCH_PREFETCH(reinterpret_cast<const char*>(w) + kPrefetchDistance<MR> + line);
            }
        }
        V wk[NV];
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) wk[v] = V::load(w + v * V::lanes);
        w += width;
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            const V xr = V::broadcast(x[r / 4][(r % 4) * row_stride + k]);
#pragma GCC unroll 8
            for (int v = 0; v < NV; ++v) sum[r][v] = V::fma(xr, wk[v], sum[r][v]);
        }
    }

    const auto finish = [&](int v, auto lanes) NE_TORCH_INLINE_LAMBDA {
        const index_t o = column + v * V::lanes;
        const V bias = g.bias ? lanes.load(g.bias + o) : V::broadcast(0);
        const V scale = g.scale ? lanes.load(g.scale + o) : V::broadcast(1);
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            V y = sum[r][v];
            if (g.scale) {
                y = g.bias ? V::fma(y, scale, bias) : y * scale;
            } else if (g.bias) {
                y = y + bias;
            }
            lanes.store(g.y.at(row + r, o), activate(g.activation, y));
        }
    };
#pragma GCC unroll 8
    for (int v = 0; v + 1 < NV; ++v) finish(v, AllLanes<V>{});
    const index_t left = g.out_features - column - (NV - 1) * V::lanes;
    if (left >= V::lanes) {
        finish(NV - 1, AllLanes<V>{});
    } else {
        finish(NV - 1, FirstLanes<V>{V::first(static_cast<int>(left))});
    }
}

// Rows [row, row_end), whole tiles, and all outputs from `column` on.
template <class V, int MR, int NV, class Stored>
void panel_columns(const PanelArgs<typename V::T>& g, const Stored* panels, index_t row, index_t row_end,
                   index_t column) {
    for (; g.out_features - column > (NV - 1) * V::lanes; column += NV * V::lanes) {
        for (index_t r = row; r < row_end; r += MR) panel_tile<V, MR, NV>(g, panels, r, column);
    }
    if constexpr (NV > 1) panel_columns<V, MR, NV / 2>(g, panels, row, row_end, column);
}

template <class V, int MR, class Stored>
void panel_rows(const PanelArgs<typename V::T>& g, const Stored* panels, index_t row) {
    const index_t end = row + (g.rows - row) / MR * MR;
    if (end > row) panel_columns<V, MR, panel_vectors<V, MR>()>(g, panels, row, end, 0);
    if constexpr (MR > 1) {
        if (end < g.rows) panel_rows<V, next_height(MR)>(g, panels, end);
    }
}

template <class V>
void panel_forward(const PanelArgs<typename V::T>& g) {
    using T = typename V::T;
    switch (g.format) {
        case WeightFormat::same:
            return panel_rows<V, kPanelRows<V>>(g, static_cast<const T*>(g.panels), 0);
        case WeightFormat::bfloat16:
            if constexpr (sizeof(T) == 4) {
                panel_rows<V, kPanelRows<V>>(g, static_cast<const std::uint16_t*>(g.panels), 0);
            }
            return;
        case WeightFormat::int8_per_row:
            if constexpr (sizeof(T) == 4) {
                panel_rows<V, kPanelRows<V>>(g, static_cast<const std::int8_t*>(g.panels), 0);
            }
            return;
    }
}

}  // namespace ne_torch
