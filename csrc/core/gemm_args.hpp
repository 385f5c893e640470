// One formula serves every product of a fully connected net:
//
//   C[i, j] = epilogue(chain over t ascending of fma(A[i, t], B[t, j]), starting from initial[i, j], or +0)
//
//                standalone, batch-major              inside a network, feature-major
//   forward      i = b, j = o, t = k                  i = o, j = b, t = k
//   grad_input   i = b, j = k, t = o                  i = k, j = b, t = o
//   grad_weight  i = o, j = k, t = b                  i = o, j = k, t = b
//
// A is read through two strides and broadcast. B is contiguous along j (col_stride 1) and loaded as vectors,
// or contiguous along t (row_stride 1) and transposed while it is packed. C is contiguous along j.
#pragma once

#include "core/names.hpp"
#include "core/update_options.hpp"
#include "core/views.hpp"

namespace ne_torch {

// What happens to a sum on its way from the register to memory.
enum class Epilogue {
    store,        // C = sum
    bias_row,     // C = activation(sum + bias[i])
    bias_column,  // C = activation(sum + bias[j])
    gate,         // C = gate[i, j] <= 0 ? 0 : sum      (ReLU's gradient; a NaN gate lets the sum through)
    update,       // C = one update of the parameter C, with the sum as its gradient
};

template <class T>
struct GemmArgs {
    index_t m = 0;
    index_t n = 0;
    index_t k = 0;
    Matrix<const T> a;
    Matrix<const T> b;
    Matrix<T> c;
    Matrix<const T> initial;  // (m, n), where a chain is taken up again; no data: +0

    Epilogue epilogue = Epilogue::store;
    Activation activation = Activation::identity;  // with bias_row and bias_column
    const T* bias = nullptr;                       // (m,) with bias_row, (n,) with bias_column; may be null
    Matrix<const T> gate;                          // (m, n) with gate
    const UpdateOptions<T>* update = nullptr;      // with update
    T* state[kMaxStates] = {};                     // (m, n) with update, laid out as C; null where not wanted

    T* workspace = nullptr;  // Kernels<T>::gemm_workspace(args) elements
};

}  // namespace ne_torch
