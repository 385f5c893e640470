// LayerNorm: each member normalises its own samples, and updates its share of weight and bias.
#pragma once

#include "training/stages/scale_shift.hpp"

namespace ne_torch {

template <class T>
class LayerNormStage final : public Stage<T> {
  public:
    LayerNormStage(index_t width, double eps, const ScaleShift<T>& learned)
        : Stage<T>(width, width), eps_(static_cast<T>(eps)), learned_(learned) {}

    bool learns() const override { return learned_.weight.data != nullptr; }
    bool reads_output() const override { return false; }
    void lay_out(Layout<T>& layout, const Extent& extent) override {
        normalized_ = layout.take_matrix(this->in_features, extent.rows);
        rstd_ = layout.take(extent.rows);
        grad_weight_ = layout.take(this->in_features);
        grad_bias_ = layout.take(this->in_features);
    }

    void forward(Member<T>& me, const Ends<T>& ends) override {
        NormForward<T> a;
        a.features = this->in_features;
        a.count = me.width();
        a.eps = eps_;
        a.weight = learned_.weight.data;
        a.bias = learned_.bias.data;
        a.input = read(me.mine(ends.input));
        a.normalized = me.mine(me.of_block(normalized_));
        a.output = me.mine(ends.output);
        a.rstd = me.of_block(rstd_) + me.columns.begin;
        me.kernels.layer_norm_forward(a);
    }
    void backward(Member<T>& me, const Ends<T>& ends) override {
        if (!ends.grad_input.data) return;
        NormBackward<T> a;
        a.features = this->in_features;
        a.count = me.width();
        a.weight = learned_.weight.data;
        a.grad_output = read(me.mine(ends.grad_output));
        a.normalized = read(me.mine(me.of_block(normalized_)));
        a.rstd = me.of_block(rstd_) + me.columns.begin;
        a.grad_input = me.mine(ends.grad_input);
        me.kernels.layer_norm_backward(a);
    }
    void update(Member<T>& me, const Ends<T>& ends) override {
        if (!learned_.weight.data) return;
        const Range mine = me.share(this->in_features);
        const index_t count = mine.end - mine.begin;
        const Matrix<T> normalized = me.of_block(normalized_);
        const Matrix<const T> grad{ends.grad_output.at(mine.begin, 0), ends.grad_output.row_stride, 1};
        const Matrix<const T> x{normalized.at(mine.begin, 0), normalized.row_stride, 1};
        const bool goes_on = !me.block.first();
        me.kernels.row_dots(count, me.block.rows, grad, x, goes_on, grad_weight_ + mine.begin);
        me.kernels.row_sums(count, me.block.rows, grad, goes_on, grad_bias_ + mine.begin);
        learned_.update(me, mine, grad_weight_, grad_bias_);
    }
    void list_gradients(std::vector<Gradient<T>>& gradients) const override {
        learned_.list(this->in_features, grad_weight_, grad_bias_, gradients);
    }

  private:
    T eps_;
    ScaleShift<T> learned_;
    Matrix<T> normalized_;
    T* rstd_ = nullptr;  // of each sample
    T* grad_weight_ = nullptr;
    T* grad_bias_ = nullptr;
};

}  // namespace ne_torch
