// Softmax over the features of each sample.
#pragma once

#include "training/stage.hpp"

namespace ne_torch {

template <class T>
class SoftmaxStage final : public Stage<T> {
  public:
    explicit SoftmaxStage(index_t width) : Stage<T>(width, width) {}

    void forward(Member<T>& me, const Ends<T>& ends) override {
        me.kernels.softmax_forward(this->in_features, me.width(), read(me.mine(ends.input)),
                                   me.mine(ends.output));
    }
    void backward(Member<T>& me, const Ends<T>& ends) override {
        me.kernels.softmax_backward(this->in_features, me.width(), read(me.mine(ends.grad_output)),
                                    read(me.mine(ends.output)), me.mine(ends.grad_input));
    }
};

}  // namespace ne_torch
