// BatchNorm1d in train mode. Its statistics are over the whole batch, so members share features instead of
// samples, between two barriers.
#pragma once

#include "functional/normalization.hpp"
#include "training/stages/scale_shift.hpp"

namespace ne_torch {

template <class T>
struct RunningStatistics {
    T* mean = nullptr;  // null: none are kept
    T* var = nullptr;
    std::int64_t* batches = nullptr;
    double momentum = 0;
    bool cumulative = false;  // the average of all batches: momentum is 1 / batches

    double share() const { return cumulative ? 1 / static_cast<double>(*batches + 1) : momentum; }
};

template <class T>
class BatchNormStage final : public Stage<T> {
  public:
    BatchNormStage(index_t width, double eps, const ScaleShift<T>& learned,
                   const RunningStatistics<T>& running)
        : Stage<T>(width, width), eps_(static_cast<T>(eps)), learned_(learned), running_(running) {}

    bool learns() const override { return learned_.weight.data != nullptr; }
    bool reads_output() const override { return false; }
    bool mixes_samples() const override { return true; }
    void lay_out(Layout<T>& layout, const Extent& extent) override {
        normalized_ = layout.take_matrix(this->in_features, extent.rows);
        for (T** piece : {&mean_, &square_, &rstd_, &grad_weight_, &grad_bias_}) {
            *piece = layout.take(this->in_features);
        }
    }

    Share share(const Member<T>& /*me*/, const Ends<T>& /*ends*/) const override { return Share::features; }
    void forward(Member<T>& me, const Ends<T>& ends) override {
        const Range mine = me.share(this->in_features);
        NormForward<T> a;
        a.features = mine.end - mine.begin;
        a.count = me.block.rows;
        a.eps = eps_;
        a.weight = of(learned_.weight, mine);
        a.bias = of(learned_.bias, mine);
        a.input = rows_of(ends.input, mine);
        a.normalized = {normalized_.at(mine.begin, 0), normalized_.row_stride, 1};
        a.output = {ends.output.at(mine.begin, 0), ends.output.row_stride, 1};
        a.rstd = rstd_ + mine.begin;
        a.mean = mean_ + mine.begin;
        a.square = square_ + mine.begin;
        me.kernels.batch_norm_forward(a);
        if (running_.mean) {
            update_running(a.features, a.count, running_.share(), a.mean, a.square,
                           running_.mean + mine.begin, running_.var + mine.begin);
        }
    }
    void backward(Member<T>& me, const Ends<T>& ends) override {
        const Range mine = me.share(this->in_features);
        NormBackward<T> a;
        a.features = mine.end - mine.begin;
        a.count = me.block.rows;
        a.weight = of(learned_.weight, mine);
        a.grad_output = rows_of(ends.grad_output, mine);
        a.normalized = rows_of(normalized_, mine);
        a.rstd = rstd_ + mine.begin;
        if (ends.grad_input.data) {
            a.grad_input = {ends.grad_input.at(mine.begin, 0), ends.grad_input.row_stride, 1};
        }
        a.grad_weight = grad_weight_ + mine.begin;
        a.grad_bias = grad_bias_ + mine.begin;
        me.kernels.batch_norm_backward(a);
    }
    void update(Member<T>& me, const Ends<T>& /*ends*/) override {
        learned_.update(me, me.share(this->in_features), grad_weight_, grad_bias_);
        if (running_.batches && me.team.index == 0) ++*running_.batches;
    }
    void list_gradients(std::vector<Gradient<T>>& gradients) const override {
        learned_.list(this->in_features, grad_weight_, grad_bias_, gradients);
    }

  private:
    static const T* of(const Learned<T>& learned, Range range) {
        return learned.data ? learned.data + range.begin : nullptr;
    }
    static Matrix<const T> rows_of(Matrix<T> m, Range range) {
        return {m.at(range.begin, 0), m.row_stride, 1};
    }

    T eps_;
    ScaleShift<T> learned_;
    RunningStatistics<T> running_;
    Matrix<T> normalized_;
    T* mean_ = nullptr;
    T* square_ = nullptr;
    T* rstd_ = nullptr;
    T* grad_weight_ = nullptr;
    T* grad_bias_ = nullptr;
};

}  // namespace ne_torch
