// An element-wise activation that does not fit the store of the product before it.
#pragma once

#include "training/stage.hpp"

namespace ne_torch {

template <class T>
class ActivationStage final : public Stage<T> {
  public:
    ActivationStage(index_t width, const ActivationOptions<T>& options)
        : Stage<T>(width, width), options_(options) {}

    bool works_in_place() const override { return keeps_output(options_.kind); }
    bool reads_output() const override { return keeps_output(options_.kind); }
    void forward(Member<T>& me, const Ends<T>& ends) override {
        me.kernels.activation_forward(options_, this->in_features, me.width(), read(me.mine(ends.input)),
                                      me.mine(ends.output));
    }
    void backward(Member<T>& me, const Ends<T>& ends) override {
        const Matrix<T> saved = keeps_output(options_.kind) ? ends.output : ends.input;
        me.kernels.activation_backward_saved(options_, this->in_features, me.width(),
                                             read(me.mine(ends.grad_output)), read(me.mine(saved)),
                                             me.mine(ends.grad_input));
    }

  private:
    ActivationOptions<T> options_;
};

}  // namespace ne_torch
