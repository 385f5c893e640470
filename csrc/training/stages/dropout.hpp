// Dropout. The mask is computed where it is needed, forward and backward, from seed, pass and place; the pass
// counts on when the step is done.
#pragma once

#include "functional/dropout.hpp"
#include "training/stage.hpp"

namespace ne_torch {

template <class T>
class DropoutStage final : public Stage<T> {
  public:
    // stream: seed and pass, the layer's own
    DropoutStage(index_t width, double p, std::uint64_t* stream)
        : Stage<T>(width, width), p_(p), stream_(stream) {}

    bool works_in_place() const override { return true; }
    bool reads_output() const override { return false; }
    void forward(Member<T>& me, const Ends<T>& ends) override {
        me.kernels.dropout(mask(me), this->in_features, me.width(), read(me.mine(ends.input)),
                           me.mine(ends.output));
    }
    void backward(Member<T>& me, const Ends<T>& ends) override {
        if (!ends.grad_input.data) return;
        me.kernels.dropout(mask(me), this->in_features, me.width(), read(me.mine(ends.grad_output)),
                           me.mine(ends.grad_input));
    }
    void update(Member<T>& me, const Ends<T>& /*ends*/) override {
        if (me.block.last() && me.team.index == 0) ++stream_[1];
    }

  private:
    DropoutArgs mask(const Member<T>& me) const {
        DropoutArgs args = dropout_args(stream_[0], stream_[1], p_);
        args.first_sample = static_cast<std::uint32_t>(me.block.begin + me.columns.begin);
        return args;
    }

    double p_;
    std::uint64_t* stream_;
};

}  // namespace ne_torch
