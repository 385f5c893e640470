// Softmax over the features of each sample, or its logarithm.
#pragma once

#include "training/stage.hpp"

namespace ne_torch {

template <class T>
class SoftmaxStage final : public Stage<T> {
  public:
    SoftmaxStage(index_t width, bool logarithm) : Stage<T>(width, width), logarithm_(logarithm) {}

    void forward(Member<T>& me, const Ends<T>& ends) override {
        const auto run = logarithm_ ? me.kernels.log_softmax_forward : me.kernels.softmax_forward;
        run(this->in_features, me.width(), read(me.mine(ends.input)), me.mine(ends.output));
    }
    void backward(Member<T>& me, const Ends<T>& ends) override {
        const auto run = logarithm_ ? me.kernels.log_softmax_backward : me.kernels.softmax_backward;
        run(this->in_features, me.width(), read(me.mine(ends.grad_output)), read(me.mine(ends.output)),
            me.mine(ends.grad_input));
    }

  private:
    bool logarithm_;
};

}  // namespace ne_torch
