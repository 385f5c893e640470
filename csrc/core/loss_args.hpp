// What the kernels are told of a loss: its options, rounded to the dtype, and the arrays of one call.
//
// Matrices are feature-major, (classes, count): a column is one sample. A loss that wants something new says
// so here, and no signature changes. functional/losses.* fills these in; kernels/losses/ reads them.
#pragma once

#include "core/names.hpp"
#include "core/views.hpp"

namespace ne_torch {

// Under torch's names; a loss reads its own.
template <class T>
struct LossOptions {
    Loss kind = Loss::mse;
    T delta = 1;
    T beta = 1;
    T quantile = T(0.5);
    T eps = T(1e-8);
    bool log_input = true;
    bool full = false;
    T label_smoothing = 0;
    index_t ignore_index = -100;
    const T* weight = nullptr;  // of class c: weight[c * weight_step]; or null: all are 1
    const T* pos_weight = nullptr;
    index_t weight_step = 1;  // 0: one weight for every class
    index_t pos_weight_step = 1;
};

template <class T>
struct LossArgs {
    const LossOptions<T>* options = nullptr;
    index_t classes = 0;
    index_t count = 0;
    Matrix<const T> prediction;
    Matrix<const T> target;                 // of the prediction's shape; or, of losses that know classes,
    const std::int64_t* indices = nullptr;  // (count), the class of each sample
    const T* sample_weight = nullptr;       // (count), or null: all are 1

    // Forward, where there is loss: that of each sample, unweighted, summed over its classes ascending in
    // float64. Where values has data: those of the elements, weighted (element-wise losses only).
    double* loss = nullptr;  // (count)
    Matrix<T> values;

    // Backward, where grad_input has data: the gradient of sum of factor * loss, where factor is grad_output,
    // of elements or of samples as the loss has them, or scale where there is none; times the sample's
    // weight. Without forward it may overwrite the prediction.
    T scale = 1;
    Matrix<const T> grad_output;
    Matrix<T> grad_input;
};

// Losses of whole samples, whose classes compete; all others are sums over elements.
static constexpr bool is_class_wise(Loss kind) { return kind == Loss::cross_entropy || kind == Loss::nll; }

}  // namespace ne_torch
