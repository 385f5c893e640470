// An element-wise activation that does not fit the store of the product before it.
#pragma once

#include "training/elements.hpp"

namespace ne_torch {

template <class T>
class ActivationStage final : public Stage<T> {
  public:
    ActivationStage(index_t width, const ActivationOptions<T>& options)
        : Stage<T>(width, width), options_(options) {}

    Order order() const override { return Order::one; }
    bool works_in_place() const override { return keeps_output(options_.kind); }
    bool reads_output() const override { return keeps_output(options_.kind); }
    void forward(Member<T>& me, const Ends<T>& ends) override {
        activation_forward(me, options_, this->in_features, ends.input, ends.output);
    }
    void backward(Member<T>& me, const Ends<T>& ends) override {
        const Matrix<T> saved = keeps_output(options_.kind) ? ends.output : ends.input;
        activation_backward(me, options_, this->in_features, ends.grad_output, saved, ends.grad_input);
    }

  private:
    ActivationOptions<T> options_;
};

}  // namespace ne_torch
