// An element-wise activation that does not fit the store of the product before it.
#pragma once

#include "training/stage.hpp"

namespace ne_torch {

template <class T>
class ActivationStage final : public Stage<T> {
  public:
    ActivationStage(index_t width, Activation kind) : Stage<T>(width, width), kind_(kind) {}

    void forward(Member<T>& me, const Ends<T>& ends) override {
        me.kernels.activation_forward(kind_, this->in_features, me.width(), read(me.mine(ends.input)),
                                      me.mine(ends.output));
    }
    void backward(Member<T>& me, const Ends<T>& ends) override {
        me.kernels.activation_backward(kind_, this->in_features, me.width(), read(me.mine(ends.grad_output)),
                                       read(me.mine(ends.input)), me.mine(ends.grad_input));
    }

  private:
    Activation kind_;
};

}  // namespace ne_torch
