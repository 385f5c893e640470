// Linear, with a ReLU behind it in the store of the product. As arguments of the one gemm:
//
//   forward      output[o, b]     = activation(chain over k of weight[o, k] * input[k, b], + bias[o])
//   grad_input   grad_input[k, b] = chain over o of weight[o, k] * grad_output[o, b]
//   update       weight[o, k]     = update of it with chain over b of grad_output[o, b] * input[k, b]
//                bias[o]          = update of it with sum over b of grad_output[o, b]
//
// A result that lies batch-major is the turned product, [b, o] or [b, k] of the turned operands.
//
// Where the stage before is dense with a ReLU, the gate of that ReLU sits in the store of grad_input.
#pragma once

#include "training/learned.hpp"
#include "training/stage.hpp"

namespace ne_torch {

template <class T>
class DenseStage final : public Stage<T> {
  public:
    DenseStage(index_t in, index_t out, const Learned<T>& weight, const Learned<T>& bias)
        : Stage<T>(in, out), weight_(weight), bias_(bias) {}

    // Takes the ReLU behind it into the store; false where there is one already.
    bool take_relu();
    // Puts the gate of the stage before into the store of grad_input, where that stage has one.
    void gate_input(DenseStage& before);

    double work_per_row(bool first) const override;
    bool learns() const override { return true; }
    bool reads_samples() const override { return true; }
    Order order() const override { return Order::any; }
    bool reads_output() const override { return activation_ != Activation::identity; }
    void lay_out(Layout<T>& layout, const Extent& extent) override;
    index_t packing(const Kernels<T>& kernels, index_t rows, const Ends<T>& ends) const override;
    Share share(const Member<T>& me, const Ends<T>& ends) const override;
    Share backward_share(const Member<T>& me, const Ends<T>& ends) const override;
    bool has_backward(const Ends<T>& ends) const override { return ends.grad_input.data || gates_output(); }
    void forward(Member<T>& me, const Ends<T>& ends) override;
    void backward(Member<T>& me, const Ends<T>& ends) override;
    void update(Member<T>& me, const Ends<T>& ends) override;
    void list_gradients(std::vector<Gradient<T>>& gradients) const override;

  private:
    // Whether grad_output has yet to pass the gate of the ReLU.
    bool gates_output() const { return activation_ != Activation::identity && !gated_by_next_; }
    GemmArgs<T> output_product(index_t rows, const Ends<T>& ends) const;
    GemmArgs<T> grad_input_product(index_t rows, const Ends<T>& ends) const;
    GemmArgs<T> grad_weight_product(index_t rows, const Ends<T>& ends) const;
    GemmArgs<T> turned_grad_product(index_t rows, const Ends<T>& ends) const;
    GemmArgs<T> grad_bias_product(index_t rows, const Ends<T>& ends) const;
    bool turns_gradient(const Kernels<T>& kernels, index_t batch_rows) const;
    void update_weight(Member<T>& me, const Ends<T>& ends);
    void update_narrow_weight(Member<T>& me, const Ends<T>& ends);
    void update_bias(Member<T>& me, const Ends<T>& ends);

    Learned<T> weight_;  // (out_features, in_features)
    Learned<T> bias_;    // (out_features,)
    Activation activation_ = Activation::identity;
    bool gates_input_ = false;    // grad_input is gated by the input, the output of a ReLU
    bool gated_by_next_ = false;  // grad_output comes gated
    Matrix<T> grad_weight_;       // of the blocks so far; no data where a batch is one block
    Matrix<T> turned_grad_;       // the same, (in_features, out_features), where that is how it is computed
    T* whole_grad_ = nullptr;     // of the whole batch, laid out as the weights: turned_grad_ turned back
    T* grad_bias_ = nullptr;
};

}  // namespace ne_torch
