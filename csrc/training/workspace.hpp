// The memory of a training step, laid out once for a number of samples and of threads: a step allocates
// nothing.
#pragma once

#include <vector>

#include "core/aligned_buffer.hpp"
#include "core/kernel_table.hpp"
#include "training/gather.hpp"
#include "training/plan.hpp"

namespace ne_torch {

template <class T>
class Workspace {
  public:
    // Makes room for blocks of this extent and a team of `threads`, in the stages too; throws std::bad_alloc
    // and is usable as before.
    void reserve(const Plan<T>& plan, const Kernels<T>& kernels, Extent extent, int threads);

    // The output of stage i - 1, which is the input of stage i, in the order that orders.hpp gives it; 0 is
    // the network's input.
    Matrix<T> activation(std::size_t i) const { return activations_[i]; }
    // Gradient with respect to activation(i), which lies as that does; no data where none is needed.
    Matrix<T> gradient(std::size_t i) const { return gradients_[i]; }
    // Feature-major target.
    Matrix<T> target() const { return target_; }
    double* loss() const { return loss_.data(); }
    T* packing(int member) const { return packing_[static_cast<std::size_t>(member)]; }

    // For samples of a block that do not lie one after the other.
    const Gathered<T>& gathered() const { return gathered_; }

  private:
    index_t lay_out(const Plan<T>& plan, const Kernels<T>& kernels, const Extent& extent, int threads,
                    T* memory);

    Extent extent_{0, false};
    int threads_ = 0;
    const Kernels<T>* kernels_ = nullptr;
    AlignedBuffer<T> memory_;
    AlignedBuffer<double> loss_;
    AlignedBuffer<std::int64_t> indices_;
    std::vector<Matrix<T>> activations_, gradients_;
    std::vector<T*> packing_;
    Matrix<T> target_;
    Gathered<T> gathered_{};
};

}  // namespace ne_torch
