#include "training/workspace.hpp"

#include <algorithm>
#include <utility>

#include "training/products.hpp"

namespace ne_torch {
namespace {

constexpr index_t kCacheLine = 64;

index_t round_up(index_t n, index_t unit) { return (n + unit - 1) / unit * unit; }

// Elements from row to row: whole cache lines, and no multiple of 1 KiB, where rows would share a few sets of
// the cache and evict each other.
template <class T>
index_t padded(index_t row) {
    constexpr index_t line = kCacheLine / static_cast<index_t>(sizeof(T));
    const index_t stride = round_up(row, line);
    return stride % (16 * line) == 0 ? stride + line : stride;
}

// Hands out consecutive pieces: a first pass with no memory only counts.
template <class T>
class Layout {
  public:
    explicit Layout(T* memory) : memory_(memory) {}
    T* take(index_t elements) {
        T* piece = memory_ ? memory_ + used_ : nullptr;
        used_ += round_up(elements, kCacheLine / static_cast<index_t>(sizeof(T)));
        return piece;
    }
    index_t used() const { return used_; }

  private:
    T* memory_;
    index_t used_ = 0;
};

// The largest panel room that any product of the plan asks for, when one member computes it alone.
template <class T>
index_t packing_room(const Plan<T>& plan, const Kernels<T>& kernels, index_t rows, index_t stride) {
    index_t room = 0;
    const auto want = [&](const GemmArgs<T>& g) { room = std::max(room, kernels.gemm_workspace(g)); };
    const Matrix<T> nowhere{nullptr, stride, 1};
    const UpdateOptions<T> options;
    for (const Stage<T>& stage : plan.stages()) {
        if (stage.kind != StageKind::dense) continue;
        want(forward_product(stage, rows, nowhere, nowhere));
        want(grad_input_product(stage, rows, nowhere, nowhere));
        want(update_product(stage, rows, nowhere, Matrix<const T>{nullptr, stage.in_features, 1}, options));
    }
    return room;
}

}  // namespace

template <class T>
void Workspace<T>::reserve(const Plan<T>& plan, const Kernels<T>& kernels, index_t rows, int threads) {
    if (rows <= rows_ && threads <= threads_ && kernels_ == &kernels) return;
    rows = std::max(rows, rows_);
    threads = std::max(threads, threads_);
    const auto& stages = plan.stages();
    const index_t stride = padded<T>(rows);
    const index_t packing = packing_room(plan, kernels, rows, stride);

    const auto lay_out = [&](T* memory) {
        Layout<T> layout(memory);
        activations_.assign(stages.size() + 1, nullptr);
        gradients_ = batch_major_ = activations_;
        grad_biases_.assign(stages.size(), nullptr);
        batch_major_strides_.assign(stages.size() + 1, 0);
        packing_.assign(static_cast<std::size_t>(threads), nullptr);
        activations_[0] = layout.take(plan.in_features() * stride);
        for (std::size_t i = 0; i < stages.size(); ++i) {
            activations_[i + 1] = layout.take(stages[i].out_features * stride);
            gradients_[i + 1] = layout.take(stages[i].out_features * stride);
            if (stages[i].kind != StageKind::dense) continue;
            grad_biases_[i] = layout.take(stages[i].out_features);
            batch_major_strides_[i] = padded<T>(stages[i].in_features);
            if (i > 0) batch_major_[i] = layout.take(rows * batch_major_strides_[i]);
        }
        target_ = layout.take(plan.out_features() * stride);
        gathered_input_ = layout.take(rows * plan.in_features());
        gathered_target_ = layout.take(rows * plan.out_features());
        for (T*& room : packing_) room = layout.take(packing);
        return layout.used();
    };
    AlignedBuffer<T> memory;
    AlignedBuffer<double> loss;
    memory.reserve(lay_out(nullptr));
    loss.reserve(rows);
    lay_out(memory.data());
    memory_ = std::move(memory);
    loss_ = std::move(loss);
    rows_ = rows;
    threads_ = threads;
    kernels_ = &kernels;
    stride_ = stride;
    in_features_ = plan.in_features();
    out_features_ = plan.out_features();
}

template class Workspace<float>;
template class Workspace<double>;

}  // namespace ne_torch
