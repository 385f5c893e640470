// Who computes what: even shares of a range, and of a product. Threads share out outputs, never terms of a
// sum, so the partition cannot change a bit of the result.
#pragma once

#include "core/gemm_args.hpp"
#include "core/views.hpp"

namespace ne_torch {

struct Range {
    index_t begin;
    index_t end;
};

// The share of member `index` of `count` in [0, total), cut at multiples of unit.
inline Range share_range(index_t total, index_t unit, int index, int count) {
    const index_t units = (total + unit - 1) / unit;
    const auto cut = [&](int i) {
        const index_t at = units * i / count * unit;
        return at < total ? at : total;
    };
    return {cut(index), cut(index + 1)};
}

template <class T>
GemmArgs<T> gemm_rows(GemmArgs<T> g, Range rows) {
    g.m = rows.end - rows.begin;
    g.a.data += rows.begin * g.a.row_stride;
    g.c.data += rows.begin * g.c.row_stride;
    if (g.initial.data) g.initial.data += rows.begin * g.initial.row_stride;
    if (g.epilogue == Epilogue::bias_row && g.bias) g.bias += rows.begin;
    if (g.gate.data) g.gate.data += rows.begin * g.gate.row_stride;
    for (T*& state : g.state) {
        if (state) state += rows.begin * g.c.row_stride;
    }
    return g;
}

template <class T>
GemmArgs<T> gemm_columns(GemmArgs<T> g, Range columns) {
    g.n = columns.end - columns.begin;
    g.b.data += columns.begin * g.b.col_stride;
    g.c.data += columns.begin;
    if (g.initial.data) g.initial.data += columns.begin;
    if (g.epilogue == Epilogue::bias_column && g.bias) g.bias += columns.begin;
    if (g.gate.data) g.gate.data += columns.begin;
    for (T*& state : g.state) {
        if (state) state += columns.begin;
    }
    return g;
}

// The same product, gone through from the last row of C to the first. Rows of A have to be contiguous, and
// the epilogue must have no bias_row.
template <class T>
GemmArgs<T> gemm_upwards(GemmArgs<T> g) {
    const index_t last = g.m - 1;
    const auto turn = [&](auto& matrix) {
        if (matrix.data) matrix.data += last * matrix.row_stride;
        matrix.row_stride = -matrix.row_stride;
    };
    for (T*& state : g.state) {
        if (state) state += last * g.c.row_stride;
    }
    turn(g.a);
    turn(g.c);
    turn(g.initial);
    turn(g.gate);
    return g;
}

// One member's share of a product: a range of columns (whole vectors, whole cache lines of C where there are
// many) or of rows, whichever leaves the largest share smaller; columns where they tie, so that no panel of B
// is packed twice, or up to `favour` times that share.
template <class T>
GemmArgs<T> share_gemm(const GemmArgs<T>& g, int lanes, int index, int count, double favour = 1) {
    constexpr index_t line = 64 / static_cast<index_t>(sizeof(T));
    const index_t unit = lanes < line && g.n >= 8 * line * count ? line : lanes;
    const index_t units = (g.n + unit - 1) / unit;
    const index_t by_columns = (units + count - 1) / count * g.m;
    const index_t by_rows = (g.m + count - 1) / count * units;
    const auto most = static_cast<index_t>(static_cast<double>(by_rows) * favour);
    if (by_columns <= most) return gemm_columns(g, share_range(g.n, unit, index, count));
    return gemm_rows(g, share_range(g.m, 1, index, count));
}

}  // namespace ne_torch
