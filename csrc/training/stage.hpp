// What a network is made of: a chain of stages, each with its forward pass, its backward pass right below
// and, where it learns something, the update. One file a kind in stages/.
//
// Values and gradients are (features, samples) matrices, and what one stage writes is what the next one
// reads. They lie feature-major, so that a weight matrix as it lies is the broadcast operand of a product;
// between stages that do not mind they may lie batch-major, see orders.hpp.
#pragma once

#include <optional>
#include <vector>

#include "core/views.hpp"
#include "training/code_check.hpp"
#include "training/layout.hpp"
#include "training/learned.hpp"
#include "training/member.hpp"

namespace ne_torch {

// How a stage takes the values around it: feature-major alone; all in one order; or each in one of its own.
enum class Order { feature_major, one, any };

template <class T>
bool is_batch_major(Matrix<T> m) {
    return m.col_stride != 1;
}

// What surrounds a stage, of a member's block. Gradients are with respect to input and output.
template <class T>
struct Ends {
    Matrix<T> input;
    Matrix<T> output;
    Matrix<T> grad_input;  // no data where nothing before the stage learns
    Matrix<T> grad_output;
    Matrix<const T> samples;  // of the first stage: the block as it came, batch-major; no data elsewhere
};

template <class T>
class Stage {
  public:
    Stage(index_t in, index_t out) : in_features(in), out_features(out) {}
    virtual ~Stage() = default;
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    const index_t in_features;
    const index_t out_features;

    // Multiply-adds for each sample of forward, backward and update; grad_input is not needed by the first.
    virtual double work_per_row(bool /*first*/) const { return 0; }
    virtual bool learns() const { return false; }
    // Whether it takes Ends::samples for its input, where there are some.
    virtual bool reads_samples() const { return false; }
    virtual Order order() const { return Order::feature_major; }
    // Whether output may be written over input, and grad_input over grad_output: it reads neither again.
    virtual bool works_in_place() const { return false; }
    // Whether backward or update reads the output, so that the next stage must not write over it.
    virtual bool reads_output() const { return true; }
    // Whether a batch has to be one block, because samples depend on each other.
    virtual bool mixes_samples() const { return false; }
    // Whether some features are codes, of the first stage; and the first that is none, by feature, then by
    // sample, of a feature-major input.
    virtual bool takes_codes() const { return false; }
    virtual std::optional<WrongCode<T>> wrong_code(Matrix<const T> /*input*/, index_t /*count*/) const {
        return std::nullopt;
    }

    // Takes what it keeps from phase to phase, of all blocks in progress: Member::of_block finds one's own. A
    // second call lays out anew.
    virtual void lay_out(Layout<T>& /*layout*/, const Extent& /*extent*/) {}
    // Elements of a member's packing room, for a block of at most so many samples that lies as these do.
    virtual index_t packing(const Kernels<T>& /*kernels*/, index_t /*rows*/, const Ends<T>& /*ends*/) const {
        return 0;
    }

    // Phase 1: a member's share of both passes, behind a barrier where it depends on others'.
    void run_forward(Member<T>& me, const Ends<T>& ends) {
        me.begin(share(me, ends));
        forward(me, ends);
    }
    void run_backward(Member<T>& me, const Ends<T>& ends) {
        if (!has_backward(ends)) return;
        me.begin(backward_share(me, ends));
        backward(me, ends);
    }
    virtual Share share(const Member<T>& /*me*/, const Ends<T>& /*ends*/) const { return Share::samples; }
    virtual Share backward_share(const Member<T>& me, const Ends<T>& ends) const { return share(me, ends); }
    virtual bool has_backward(const Ends<T>& /*ends*/) const { return true; }  // for nothing, nobody waits
    virtual void forward(Member<T>& me, const Ends<T>& ends) = 0;
    virtual void backward(Member<T>& me, const Ends<T>& ends) = 0;

    // Phase 2, when every member's phase 1 is done; of stages before the first that learns, too.
    virtual void update(Member<T>& /*me*/, const Ends<T>& /*ends*/) {}
    // The gradients that it has kept where a member does not update, in the order of the layer's parameters.
    virtual void list_gradients(std::vector<Gradient<T>>& /*gradients*/) const {}
};

}  // namespace ne_torch
