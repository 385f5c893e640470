#include "training/workspace.hpp"

#include <algorithm>
#include <utility>

#include "training/orders.hpp"

namespace ne_torch {

template <class T>
index_t Workspace<T>::lay_out(const Plan<T>& plan, const Kernels<T>& kernels, const Extent& extent,
                              int threads, T* memory) {
    Layout<T> layout(memory);
    const index_t rows = extent.rows;
    const std::size_t stages = plan.size();
    activations_.resize(stages + 1);
    gradients_.assign(stages + 1, {});
    packing_.resize(static_cast<std::size_t>(threads));
    activations_[0] = layout.take_matrix(plan.in_features(), rows);
    index_t packing = 0;
    for (std::size_t i = 0; i < stages; ++i) {
        Stage<T>& stage = plan.stage(i);
        const bool in_place = plan.in_place(i), batch_major = lies_batch_major(plan, i + 1, kernels, rows);
        const auto take = [&] {
            const index_t width = stage.out_features;
            return batch_major ? Matrix<T>{layout.take(rows * width), 1, width}
                               : layout.take_matrix(width, rows);
        };
        activations_[i + 1] = in_place ? activations_[i] : take();
        if (i >= plan.first_learning()) gradients_[i + 1] = in_place ? gradients_[i] : take();
        stage.lay_out(layout, extent);
        const Ends<T> ends{activations_[i], activations_[i + 1], gradients_[i], gradients_[i + 1], {}};
        packing = std::max(packing, stage.packing(kernels, rows, ends));
    }
    target_ = layout.take_matrix(plan.out_features(), rows);
    gathered_.input = {layout.take(rows * plan.in_features()), plan.in_features(), 1};
    gathered_.target = {layout.take(rows * plan.out_features()), plan.out_features(), 1};
    gathered_.sample_weight = layout.take(rows);
    for (T*& room : packing_) room = layout.take(packing);
    return layout.used();
}

template <class T>
void Workspace<T>::reserve(const Plan<T>& plan, const Kernels<T>& kernels, Extent extent, int threads) {
    const bool fits = extent.rows <= extent_.rows && extent.gradients <= extent_.gradients;
    if (fits && threads <= threads_ && kernels_ == &kernels) return;
    extent.rows = std::max(extent.rows, extent_.rows);
    extent.gradients = extent.gradients || extent_.gradients;
    threads = std::max(threads, threads_);
    AlignedBuffer<T> memory;
    AlignedBuffer<double> loss;
    AlignedBuffer<std::int64_t> indices;
    try {
        memory.reserve(lay_out(plan, kernels, extent, threads, nullptr));
        loss.reserve(extent.rows);
        indices.reserve(extent.rows);
    } catch (...) {
        if (kernels_) lay_out(plan, *kernels_, extent_, threads_, memory_.data());
        throw;
    }
    lay_out(plan, kernels, extent, threads, memory.data());
    memory_ = std::move(memory);
    loss_ = std::move(loss);
    indices_ = std::move(indices);
    gathered_.indices = indices_.data();
    extent_ = extent;
    threads_ = threads;
    kernels_ = &kernels;
}

template class Workspace<float>;
template class Workspace<double>;

}  // namespace ne_torch
