// result[i] = (chain over k of matrix[i, k] * vector[k], from +0) + bias[i]: a product with one row or
// column.
//
// A vector register has to hold one term of `lanes` chains, so blocks of the matrix are transposed in
// registers on their way from memory, without a packed copy: there is no second use that could pay for one.
// Called for a batch of one sample and for layers with one output or one input feature.
#pragma once

#include "core/views.hpp"
#include "kernels/transpose.hpp"

namespace ne_torch {

// Chains of Groups times lanes rows side by side: one group waits for memory while another computes. Two
// measure best; with four, 64 rows are more streams than the prefetchers follow.
template <class V, int Groups>
inline void matvec_rows(index_t rows, index_t cols, Matrix<const typename V::T> matrix,
                        const typename V::T* vector, V (&sum)[Groups]) {
    V chain[Groups];
    for (int g = 0; g < Groups; ++g) chain[g] = V::broadcast(0);
    for (index_t k = 0; k < cols; k += V::lanes) {
        const int terms = static_cast<int>(cols - k < V::lanes ? cols - k : V::lanes);
#pragma GCC unroll 4
        for (int g = 0; g < Groups; ++g) {
            const index_t first = g * V::lanes;
            const index_t left = rows - first;
            V block[V::lanes];
            load_transposed_block<V>(static_cast<int>(left < V::lanes ? left : V::lanes), terms,
                                     {matrix.at(first, k), matrix.row_stride, 1}, block);
            if (terms == V::lanes) {
#pragma GCC unroll 16
                for (int t = 0; t < V::lanes; ++t) {
                    chain[g] = V::fma(block[t], V::broadcast(vector[k + t]), chain[g]);
                }
            } else {
                for (int t = 0; t < terms; ++t) {
                    chain[g] = V::fma(block[t], V::broadcast(vector[k + t]), chain[g]);
                }
            }
        }
    }
    for (int g = 0; g < Groups; ++g) sum[g] = chain[g];
}

// Groups of lanes rows, as many at a time as there are.
template <class V, int Groups, class Finish>
inline index_t matvec_groups(index_t row, index_t rows, index_t cols, Matrix<const typename V::T> matrix,
                             const typename V::T* vector, Finish finish) {
    for (; rows - row > (Groups - 1) * V::lanes; row += Groups * V::lanes) {
        V sum[Groups];
        matvec_rows<V, Groups>(rows - row, cols, {matrix.at(row, 0), matrix.row_stride, 1}, vector, sum);
        for (int g = 0; g < Groups; ++g) finish(row + g * V::lanes, sum[g]);
    }
    return row;
}

// bias: null, or bias[i * bias_stride]
template <class V>
void matvec(index_t rows, index_t cols, Matrix<const typename V::T> matrix, const typename V::T* vector,
            const typename V::T* bias, index_t bias_stride, typename V::T* result) {
    const auto finish = [&](index_t row, V sum) {
        typename V::T part[V::lanes];
        sum.store(part);
        for (int l = 0; l < V::lanes && row + l < rows; ++l) {
            result[row + l] = bias ? part[l] + bias[(row + l) * bias_stride] : part[l];
        }
    };
    const index_t row = matvec_groups<V, 2>(0, rows, cols, matrix, vector, finish);
    matvec_groups<V, 1>(row, rows, cols, matrix, vector, finish);
}

}  // namespace ne_torch
