// The memory of a training step, laid out once for a batch size and a number of threads: a step allocates
// nothing.
//
// Activations and gradients are feature-major, (features, batch) with rows padded to whole cache lines, so
// that a weight matrix as it lies is the broadcast operand and an output is the next stage's input.
// grad_weight alone wants its input batch-major.
#pragma once

#include <vector>

#include "core/aligned_buffer.hpp"
#include "core/kernel_table.hpp"
#include "training/plan.hpp"

namespace ne_torch {

template <class T>
class Workspace {
  public:
    // Makes room for `rows` samples and a team of `threads`; throws std::bad_alloc and is usable as before.
    void reserve(const Plan<T>& plan, const Kernels<T>& kernels, index_t rows, int threads);

    // Feature-major output of stage i - 1, which is the input of stage i; 0 is the network's input.
    Matrix<T> activation(std::size_t i) const { return {activations_[i], stride_, 1}; }
    // Feature-major gradient with respect to activation(i).
    Matrix<T> gradient(std::size_t i) const { return {gradients_[i], stride_, 1}; }
    // Batch-major copy of activation(i), for a dense stage i behind the first stage.
    Matrix<T> batch_major(std::size_t i) const { return {batch_major_[i], batch_major_strides_[i], 1}; }
    // Feature-major target.
    Matrix<T> target() const { return {target_, stride_, 1}; }
    T* grad_bias(std::size_t i) const { return grad_biases_[i]; }
    double* loss() const { return loss_.data(); }
    T* packing(int member) const { return packing_[static_cast<std::size_t>(member)]; }

    // Batch-major room for samples that an epoch gathers.
    Matrix<T> gathered_input() const { return {gathered_input_, in_features_, 1}; }
    Matrix<T> gathered_target() const { return {gathered_target_, out_features_, 1}; }

  private:
    index_t rows_ = 0;
    int threads_ = 0;
    const Kernels<T>* kernels_ = nullptr;
    index_t stride_ = 0;
    index_t in_features_ = 0;
    index_t out_features_ = 0;
    AlignedBuffer<T> memory_;
    AlignedBuffer<double> loss_;
    std::vector<T*> activations_, gradients_, batch_major_, grad_biases_, packing_;
    std::vector<index_t> batch_major_strides_;
    T* target_ = nullptr;
    T* gathered_input_ = nullptr;
    T* gathered_target_ = nullptr;
};

}  // namespace ne_torch
