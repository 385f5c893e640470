// result[i] = (chain over k of matrix[i, k] * vector[k], from +0) + bias[i]: a product with one row or
// column.
//
// A vector register has to hold one term of `lanes` chains, so blocks of the matrix are transposed in
// registers on their way from memory, without a packed copy: there is no second use that could pay for one.
// A block is as wide as a cache line, which is read at once: rows whose stride is a multiple of 4 KiB fall
// into one set of the cache, and their lines do not stay for a second look. Called for a batch of one sample
// and for layers with one output or one input feature.
#pragma once

#include <math.h>

#include "core/compiler.hpp"
#include "core/views.hpp"
#include "kernels/blocking.hpp"
#include "kernels/lanes.hpp"
#include "kernels/transpose.hpp"

namespace ne_torch {

static NE_TORCH_INLINE float fused(float a, float b, float c) { return fmaf(a, b, c); }
static NE_TORCH_INLINE double fused(double a, double b, double c) { return fma(a, b, c); }

// So many chains without vectors take as long as one, which waits four cycles for each multiply-add.
static constexpr int kFewRows = 4;

// At most so many rows, the last one again where there are less. Each table has a copy: its flags differ.
template <class T>
static void few_rows(index_t rows, index_t cols, Matrix<const T> matrix, const T* vector, const T* bias,
                     index_t bias_stride, T* result) {
    const T* row[kFewRows];
    T chain[kFewRows];
#pragma GCC unroll 4
    for (int i = 0; i < kFewRows; ++i) {
        row[i] = matrix.at(smaller(i, rows - 1), 0);
        chain[i] = 0;
    }
    for (index_t k = 0; k < cols; ++k) {
#pragma GCC unroll 4
        for (int i = 0; i < kFewRows; ++i) chain[i] = fused(row[i][k], vector[k], chain[i]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kFewRows; ++i) {  // one by one, or compilers would gather the chains into vectors
        if (i < rows) result[i] = bias ? chain[i] + bias[i * bias_stride] : chain[i];
    }
}

// The chains of `count` rows, at most lanes, from each of the given rows on.
template <class V, int Groups>
inline void add_up_rows(const index_t (&row)[Groups], int count, index_t cols,
                        Matrix<const typename V::T> matrix, const typename V::T* vector, V (&sum)[Groups]) {
    V chain[Groups];
    index_t k = 0;
    for (int g = 0; g < Groups; ++g) chain[g] = V::broadcast(0);
    for (; count == V::lanes && k + V::lanes <= cols; k += V::lanes) {
#pragma GCC unroll 2
        for (int g = 0; g < Groups; ++g) {
            V block[V::lanes];  // of its own, so that it stays in registers
            V::load_transposed(matrix.at(row[g], k), matrix.row_stride, block);
#pragma GCC unroll 16
            for (int t = 0; t < V::lanes; ++t) {
                chain[g] = V::fma(block[t], V::broadcast(vector[k + t]), chain[g]);
            }
        }
    }
    for (; k < cols; k += V::lanes) {
        const int terms = static_cast<int>(smaller(V::lanes, cols - k));
        for (int g = 0; g < Groups; ++g) {
            V block[V::lanes];
            load_transposed_block<V>(count, terms, {matrix.at(row[g], k), matrix.row_stride, 1}, block);
            for (int t = 0; t < terms; ++t) {
                chain[g] = V::fma(block[t], V::broadcast(vector[k + t]), chain[g]);
            }
        }
    }
    for (int g = 0; g < Groups; ++g) sum[g] = chain[g];
}

// bias: null, or bias[i * bias_stride] with a stride of 0 or 1
template <class V>
void matvec(index_t rows, index_t cols, Matrix<const typename V::T> matrix, const typename V::T* vector,
            const typename V::T* bias, index_t bias_stride, typename V::T* result) {
    if (rows == 0) return;
    if (rows < V::lanes && rows <= kFewRows) {
        few_rows(rows, cols, matrix, vector, bias, bias_stride, result);
        return;
    }
    constexpr int groups = V::lanes < 8 ? 2 : 1;      // at least eight chains, to hide the latency of an FMA
    const index_t last = larger(rows - V::lanes, 0);  // the last group begins here: some rows come twice
    const int count = static_cast<int>(smaller(V::lanes, rows));
    for (index_t begin = 0; begin < rows; begin += groups * V::lanes) {
        index_t row[groups];
        V sum[groups];
        for (int g = 0; g < groups; ++g) row[g] = smaller(begin + g * V::lanes, last);
        add_up_rows<V, groups>(row, count, cols, matrix, vector, sum);
        const auto finish = [&](auto lanes) {
            for (int g = 0; g < groups; ++g) {
                if (bias) {
                    sum[g] = sum[g] + (bias_stride == 0 ? V::broadcast(*bias) : lanes.load(bias + row[g]));
                }
                lanes.store(result + row[g], sum[g]);
            }
        };
        if (count == V::lanes) {
            finish(AllLanes<V>{});
        } else {
            finish(FirstLanes<V>{V::first(count)});
        }
    }
}

}  // namespace ne_torch
