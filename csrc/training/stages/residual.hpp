// Residual: output = input + f(input), f being stages of its own, with values and gradients of its own
// between them.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "training/plan.hpp"

namespace ne_torch {

template <class T>
class ResidualStage final : public Stage<T> {
  public:
    // f takes and gives `width` features
    ResidualStage(index_t width, std::shared_ptr<const Plan<T>> f)
        : Stage<T>(width, width), f_(std::move(f)), values_(f_->size()), gradients_(f_->size()) {}

    double work_per_row(bool first) const override;
    bool learns() const override { return f_->first_learning() < f_->size(); }
    bool reads_output() const override { return false; }
    bool mixes_samples() const override { return f_->mixes_samples(); }
    void lay_out(Layout<T>& layout, const Extent& extent) override;
    index_t packing(const Kernels<T>& kernels, index_t rows, const Ends<T>& ends) const override;
    void forward(Member<T>& me, const Ends<T>& ends) override;
    void backward(Member<T>& me, const Ends<T>& ends) override;
    void update(Member<T>& me, const Ends<T>& ends) override;
    void list_gradients(std::vector<Gradient<T>>& gradients) const override;

  private:
    Ends<T> inner(const Member<T>& me, std::size_t i, const Ends<T>& ends) const;

    std::shared_ptr<const Plan<T>> f_;
    std::vector<Matrix<T>> values_;     // output of stage i
    std::vector<Matrix<T>> gradients_;  // with respect to the input of stage i
    Matrix<T> grad_output_;             // f's own: a stage may work on its grad_output in place
};

}  // namespace ne_torch
