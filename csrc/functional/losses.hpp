// Losses of batches of batch-major (rows, classes) arrays: blocks of rows are turned for the kernels. Called
// by the bindings; the engine shares loss_divisor and take_up.
//
//   value  = (sum over b ascending of w[b] loss[b]) / divisor, in float64
//   divisor, ascending in float64, where the reduction is the mean (1 otherwise):
//     of elements         classes * sum over b of w[b]
//     of probabilities    sum over b of w[b]
//     of classes          sum over b of w[b] weight[t[b]], without those whose t[b] is ignore_index
#pragma once

#include "functional/loss_settings.hpp"

namespace ne_torch {

template <class T>
struct LossBatch {
    index_t rows = 0;
    index_t classes = 0;
    const T* prediction = nullptr;
    const T* target = nullptr;              // (rows, classes); or
    const std::int64_t* indices = nullptr;  // (rows)
    const T* sample_weight = nullptr;       // (rows), or null: all are 1
};

// order: null, or the row of each sample in indices and sample_weight
template <class T>
double loss_divisor(const LossSettings& settings, index_t rows, index_t classes, const std::int64_t* indices,
                    const T* sample_weight, const std::int64_t* order = nullptr);

// total, with the weighted losses of `rows` more samples
template <class T>
double take_up(double total, index_t rows, const double* loss, const T* sample_weight) {
    for (index_t b = 0; b < rows; ++b) {
        total += sample_weight ? static_cast<double>(sample_weight[b]) * loss[b] : loss[b];
    }
    return total;
}

// sum over b of w[b] loss[b]
template <class T>
double loss_total(const LossSettings& settings, const LossBatch<T>& batch);

// What is not reduced, weighted: of element-wise losses (rows, classes), of others (rows).
template <class T>
void loss_values(const LossSettings& settings, const LossBatch<T>& batch, T* values);

// grad_output of the shape of loss_values, or null: all are scale.
template <class T>
void loss_gradient(const LossSettings& settings, const LossBatch<T>& batch, T scale, const T* grad_output,
                   T* grad_input);

}  // namespace ne_torch
