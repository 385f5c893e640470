// result[v, i] = (chain over k of matrix[i, k] * vectors[v, k], from +0) + bias: a product with one vector or
// a few. See core/matvec_args.hpp.
//
// A vector register has to hold one term of `lanes` chains, so blocks of the matrix are transposed in
// registers on their way from memory, without a packed copy: there is no second use that could pay for one.
// A block is as wide as a cache line, which is read at once: rows whose stride is a multiple of 4 KiB fall
// into one set of the cache, and their lines do not stay for a second look. Called for a few samples, and for
// layers with few outputs or one input feature.
#pragma once

#include <cmath>

#include "core/compiler.hpp"
#include "core/matvec_args.hpp"
#include "kernels/blocking.hpp"
#include "kernels/lanes.hpp"
#include "kernels/transpose.hpp"

namespace ne_torch {

static NE_TORCH_INLINE float fused(float a, float b, float c) { return std::fmaf(a, b, c); }
static NE_TORCH_INLINE double fused(double a, double b, double c) { return std::fma(a, b, c); }

// So many chains without vectors take as long as one, which waits four cycles for each multiply-add.
static constexpr int kFewRows = 4;

// At most so many rows, the last one again where there are less, and one vector. Each table has a copy: its
// flags differ.
template <class T>
static void few_rows(const MatvecArgs<T>& g) {
    const T* const vector = g.vectors.data;
    const T* row[kFewRows];
    T chain[kFewRows];
#pragma GCC unroll 4
    for (int i = 0; i < kFewRows; ++i) {
        row[i] = g.matrix.at(smaller(i, g.rows - 1), 0);
        chain[i] = 0;
    }
    for (index_t k = 0; k < g.cols; ++k) {
#pragma GCC unroll 4
        for (int i = 0; i < kFewRows; ++i) chain[i] = fused(row[i][k], vector[k], chain[i]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kFewRows; ++i) {  // one by one, or compilers would gather the chains into vectors
        if (i < g.rows) g.result.data[i] = g.bias ? chain[i] + g.bias[g.bias_of_row ? i : 0] : chain[i];
    }
}

// chain[v] takes up one term, vector[v] points to its factor.
template <class V, int Vectors>
NE_TORCH_INLINE void add_term(V term, const typename V::T* const (&vector)[Vectors], index_t t,
                              V (&chain)[Vectors]) {
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) chain[v] = V::fma(term, V::broadcast(vector[v][t]), chain[v]);
}

// The chains of `height` rows, at most lanes, from each of the given rows on.
template <class V, int Groups, int Vectors>
inline void add_up_rows(const MatvecArgs<typename V::T>& g, const index_t (&row)[Groups], int height,
                        V (&sum)[Groups][Vectors]) {
    const typename V::T* vector[Vectors];
    V chain[Groups][Vectors];
    for (int v = 0; v < Vectors; ++v) vector[v] = g.vectors.at(smaller(v, g.count - 1), 0);
    for (auto& group : chain) {
        for (V& one : group) one = V::broadcast(0);
    }
    index_t k = 0;
    for (; height == V::lanes && k + V::lanes <= g.cols; k += V::lanes) {
#pragma GCC unroll 4
        for (int i = 0; i < Groups; ++i) {
            V block[V::lanes];  // of its own, so that it stays in registers
            V::load_transposed(g.matrix.at(row[i], k), g.matrix.row_stride, block);
#pragma GCC unroll 16
            for (int t = 0; t < V::lanes; ++t) add_term<V, Vectors>(block[t], vector, t, chain[i]);
        }
#pragma GCC unroll 8
        for (int v = 0; v < Vectors; ++v) vector[v] += V::lanes;
    }
    for (; k < g.cols; k += V::lanes) {
        const int terms = static_cast<int>(smaller(V::lanes, g.cols - k));
        for (int i = 0; i < Groups; ++i) {
            V block[V::lanes];
            const Matrix<const typename V::T> from{g.matrix.at(row[i], k), g.matrix.row_stride, 1};
            load_transposed_block<V>(height, terms, from, block);
#pragma GCC unroll 1
            for (int t = 0; t < terms; ++t) add_term<V, Vectors>(block[t], vector, t, chain[i]);
        }
        for (int v = 0; v < Vectors; ++v) vector[v] += terms;
    }
    for (int i = 0; i < Groups; ++i) {
        for (int v = 0; v < Vectors; ++v) sum[i][v] = chain[i][v];
    }
}

// At most Vectors of them, the last one again where there are less, and `groups` of rows at once.
template <class V, int Vectors, int groups>
void matvec_of(const MatvecArgs<typename V::T>& g) {
    const index_t last = larger(g.rows - V::lanes, 0);  // the last group begins here: some rows come twice
    const int height = static_cast<int>(smaller(V::lanes, g.rows));
    for (index_t begin = 0; begin < g.rows; begin += groups * V::lanes) {
        index_t row[groups];
        V sum[groups][Vectors];
        for (int i = 0; i < groups; ++i) row[i] = smaller(begin + i * V::lanes, last);
        add_up_rows<V, groups, Vectors>(g, row, height, sum);
        const auto finish = [&](auto lanes) {
            for (int i = 0; i < groups; ++i) {
                for (int v = 0; v < Vectors && v < g.count; ++v) {
                    V y = sum[i][v];
                    if (g.bias)
                        y = y + (g.bias_of_row ? lanes.load(g.bias + row[i]) : V::broadcast(g.bias[v]));
                    lanes.store(g.result.at(v, row[i]), y);
                }
            }
        };
        if (height == V::lanes) {
            finish(AllLanes<V>{});
        } else {
            finish(FirstLanes<V>{V::first(height)});
        }
    }
}

// So many vectors have their chains in registers, beside a block.
template <class V>
constexpr int few_vectors() {
    if (V::lanes == 1) return 1;
    return V::lanes == 16 ? 8 : 4;
}

// With one vector a group of rows is one chain of registers, each waiting four cycles for the one before, so
// more groups are done at once: as many rows as fit a set of the first-level cache where all fall into one,
// twice as many elsewhere.
template <class V>
void matvec_of_one(const MatvecArgs<typename V::T>& g) {
    constexpr int few = V::lanes < 8 ? 2 : 1;
    const bool one_set = set_step<typename V::T>(g.matrix.row_stride) == 4096;
    if (g.rows <= few * V::lanes || one_set) return matvec_of<V, 1, few>(g);
    matvec_of<V, 1, 2 * few>(g);
}

// One, four or eight vectors, which is enough for all: each costs a copy of the loops above.
template <class V, int Vectors>
void matvec_up_to(const MatvecArgs<typename V::T>& g) {
    if constexpr (Vectors > 1) {
        constexpr int fewer = Vectors > 4 ? 4 : 1;
        if (g.count <= fewer) return matvec_up_to<V, fewer>(g);
        matvec_of<V, Vectors, 1>(g);
    } else if (g.rows <= smaller(kFewRows, V::lanes - 1)) {
        few_rows(g);
    } else {
        matvec_of_one<V>(g);
    }
}

template <class V>
void matvec(const MatvecArgs<typename V::T>& g) {
    if (g.rows > 0) matvec_up_to<V, few_vectors<V>()>(g);
}

}  // namespace ne_torch
