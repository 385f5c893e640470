#include "training/stages/dense.hpp"

#include <algorithm>

#include "training/elements.hpp"
#include "training/update_elements.hpp"

namespace ne_torch {
namespace {

// (features, samples)
template <class T>
Matrix<const T> input_of(const Ends<T>& ends) {
    return ends.samples.data ? turned(ends.samples) : read(ends.input);
}

// What the rows of a product are whose result lies like that.
template <class T>
Share rows_of(Matrix<T> result) {
    return is_batch_major(result) ? Share::samples : Share::features;
}

// The most input features with which a gradient may be computed turned: half of the widest vector.
template <class T>
constexpr index_t kNarrow = 32 / static_cast<index_t>(sizeof(T));

}  // namespace

template <class T>
bool DenseStage<T>::take_relu() {
    if (activation_ != Activation::identity) return false;
    activation_ = Activation::relu;
    return true;
}

template <class T>
void DenseStage<T>::gate_input(DenseStage& before) {
    gates_input_ = before.gated_by_next_ = before.activation_ == Activation::relu;
}

template <class T>
double DenseStage<T>::work_per_row(bool first) const {
    return (first ? 2 : 3) * static_cast<double>(this->in_features) * static_cast<double>(this->out_features);
}

template <class T>
void DenseStage<T>::lay_out(Layout<T>& layout, const Extent& extent) {
    grad_weight_ = extent.gradients ? layout.take_matrix(this->out_features, this->in_features) : Matrix<T>{};
    if (this->in_features <= kNarrow<T>) {
        turned_grad_ = layout.take_matrix(this->in_features, this->out_features);
        whole_grad_ = layout.take(this->in_features * this->out_features);
    }
    grad_bias_ = layout.take(this->out_features);
}

template <class T>
index_t DenseStage<T>::packing(const Kernels<T>& kernels, index_t rows, const Ends<T>& ends) const {
    Ends<T> first = ends;
    first.samples = {weight_.data, this->in_features, 1};  // some data, to be taken for samples
    return std::max({kernels.gemm_workspace(output_product(rows, first)),
                     kernels.gemm_workspace(output_product(rows, ends)),
                     kernels.gemm_workspace(grad_input_product(rows, ends)),
                     kernels.gemm_workspace(turned_grad_product(rows, first)),
                     kernels.gemm_workspace(turned_grad_product(rows, ends)),
                     kernels.gemm_workspace(grad_bias_product(rows, ends)),
                     kernels.gemm_workspace(grad_weight_product(rows, ends))});
}

template <class T>
GemmArgs<T> DenseStage<T>::output_product(index_t rows, const Ends<T>& ends) const {
    const Matrix<const T> weight{weight_.data, this->in_features, 1};
    GemmArgs<T> g;
    g.k = this->in_features;
    if (is_batch_major(ends.output)) {
        g.m = rows, g.n = this->out_features;
        g.a = turned(input_of(ends)), g.b = turned(weight), g.c = turned(ends.output);
        g.epilogue = Epilogue::bias_column;
    } else {
        g.m = this->out_features, g.n = rows;
        g.a = weight, g.b = input_of(ends), g.c = ends.output;
        g.epilogue = Epilogue::bias_row;
    }
    g.activation = activation_;
    g.bias = bias_.data;
    return g;
}

// What another core has comes slowly, so that the less of it is read. Who has samples reads all weights,
// which the others have updated since and will take back for the next update: they count thrice. Who has
// features reads all values in front of the layer and waits for whom they are of, as long as for so many
// values more; of the first layer, everybody turns the whole batch.
template <class T>
Share DenseStage<T>::share(const Member<T>& me, const Ends<T>& ends) const {
    constexpr index_t waiting = 32768;
    const index_t features = this->in_features + (ends.grad_input.data ? this->out_features : 0);
    return me.cheaper(3 * this->in_features * this->out_features, features * me.block.rows + waiting);
}

// Likewise; and what was computed by samples is read by features in the update of the layer before.
template <class T>
Share DenseStage<T>::backward_share(const Member<T>& me, const Ends<T>& /*ends*/) const {
    constexpr index_t waiting = 2048;
    const index_t rows = me.block.rows;
    return me.cheaper(3 * this->in_features * this->out_features + this->in_features * rows,
                      this->out_features * rows + waiting);
}

template <class T>
void DenseStage<T>::forward(Member<T>& me, const Ends<T>& ends) {
    me.multiply(me.my_part(output_product(me.block.rows, ends), rows_of(ends.output)));
}

template <class T>
GemmArgs<T> DenseStage<T>::grad_input_product(index_t rows, const Ends<T>& ends) const {
    const Matrix<const T> weight{weight_.data, this->in_features, 1}, grad = read(ends.grad_output);
    GemmArgs<T> g;
    g.k = this->out_features;
    if (gates_input_) g.epilogue = Epilogue::gate, g.gate = read(ends.input);
    if (is_batch_major(ends.grad_input)) {
        g.m = rows, g.n = this->in_features;
        g.a = turned(grad), g.b = weight, g.c = turned(ends.grad_input);
        g.gate = turned(g.gate);
    } else {
        g.m = this->in_features, g.n = rows;
        g.a = turned(weight), g.b = grad, g.c = ends.grad_input;
    }
    return g;
}

template <class T>
void DenseStage<T>::backward(Member<T>& me, const Ends<T>& ends) {
    if (gates_output()) {
        me.begin(Share::samples);
        activation_backward<T>(me, {activation_}, this->out_features, ends.grad_output, ends.output,
                               ends.grad_output);
        if (ends.grad_input.data) me.begin(backward_share(me, ends));
    }
    if (!ends.grad_input.data) return;
    me.multiply(me.my_part(grad_input_product(me.block.rows, ends), rows_of(ends.grad_input)));
}

template <class T>
GemmArgs<T> DenseStage<T>::grad_weight_product(index_t rows, const Ends<T>& ends) const {
    GemmArgs<T> g;
    g.m = this->out_features;
    g.n = this->in_features;
    g.k = rows;
    g.a = read(ends.grad_output);
    g.b = turned(input_of(ends));
    g.c = {weight_.data, this->in_features, 1};
    g.epilogue = Epilogue::update;
    std::copy(weight_.states.begin(), weight_.states.end(), g.state);
    return g;
}

// The gradient of few columns leaves lanes idle, in every multiply-add: where its rows fill vectors, it is
// computed turned. Both ways are the same chains. (AVX-512, 32 x 4 weights: 576 samples in half of the time;
// with AVX2 0.8 of it.)
template <class T>
bool DenseStage<T>::turns_gradient(const Kernels<T>& kernels, index_t batch_rows) const {
    constexpr index_t worth_it = 256;  // 16 outputs with AVX-512, 32 with AVX2, in float32
    const index_t lanes = kernels.lanes;
    return 2 * this->in_features <= lanes && this->out_features * lanes >= worth_it &&
           batch_rows >= 2 * lanes;
}

template <class T>
GemmArgs<T> DenseStage<T>::turned_grad_product(index_t rows, const Ends<T>& ends) const {
    GemmArgs<T> g;
    g.m = this->in_features;
    g.n = this->out_features;
    g.k = rows;
    g.a = input_of(ends);
    g.b = turned(read(ends.grad_output));
    g.c = turned_grad_;
    return g;
}

template <class T>
void DenseStage<T>::update(Member<T>& me, const Ends<T>& ends) {
    if (turns_gradient(me.kernels, me.block.batch_rows)) {
        update_narrow_weight(me, ends);
    } else {
        update_weight(me, ends);
    }
    if (bias_.data) update_bias(me, ends);
}

template <class T>
void DenseStage<T>::update_weight(Member<T>& me, const Ends<T>& ends) {
    GemmArgs<T> g = grad_weight_product(me.block.rows, ends);
    if (!me.block.first()) g.initial = read(grad_weight_);
    if (me.updates()) {
        g.update = &me.options[weight_.group];
    } else {
        g.epilogue = Epilogue::store;
        g.c = grad_weight_;
    }
    me.multiply_weights(g, !ends.samples.data);
}

// Everybody's share are outputs, in whole vectors: what a member turns back it has computed itself.
template <class T>
void DenseStage<T>::update_narrow_weight(Member<T>& me, const Ends<T>& ends) {
    const index_t in = this->in_features;
    const Range mine = me.share(this->out_features);
    GemmArgs<T> g = turned_grad_product(me.block.rows, ends);
    if (!me.block.first()) g.initial = read(turned_grad_);
    me.multiply(gemm_columns(g, mine));
    if (!me.block.last()) return;
    Matrix<T> whole = me.updates() ? Matrix<T>{whole_grad_, in, 1} : grad_weight_;
    whole.data = whole.at(mine.begin, 0);
    me.kernels.transpose(in, mine.end - mine.begin,
                         {turned_grad_.at(0, mine.begin), turned_grad_.row_stride, 1}, whole);
    update_elements(me, weight_, {mine.begin * in, mine.end * in}, whole_grad_);
}

// Sums as chains of fma(1, gradient, sum), which round as sums do.
template <class T>
GemmArgs<T> DenseStage<T>::grad_bias_product(index_t rows, const Ends<T>& ends) const {
    static constexpr T one = 1;
    GemmArgs<T> g;
    g.m = 1;
    g.n = this->out_features;
    g.k = rows;
    g.a = {&one, 0, 0};
    g.b = turned(read(ends.grad_output));
    g.c = {grad_bias_, this->out_features, 1};
    return g;
}

template <class T>
void DenseStage<T>::update_bias(Member<T>& me, const Ends<T>& ends) {
    const Range mine = me.share(this->out_features);
    const bool goes_on = !me.block.first();
    if (is_batch_major(ends.grad_output)) {
        GemmArgs<T> g = grad_bias_product(me.block.rows, ends);
        if (goes_on) g.initial = read(g.c);
        me.multiply(gemm_columns(g, mine));
    } else {
        const Matrix<const T> grad{ends.grad_output.at(mine.begin, 0), ends.grad_output.row_stride, 1};
        me.kernels.row_sums(mine.end - mine.begin, me.block.rows, grad, goes_on, grad_bias_ + mine.begin);
    }
    update_elements(me, bias_, mine, grad_bias_);
}

template <class T>
void DenseStage<T>::list_gradients(std::vector<Gradient<T>>& gradients) const {
    gradients.push_back({weight_, this->out_features, this->in_features, read(grad_weight_)});
    if (bias_.data) gradients.push_back({bias_, 1, this->out_features, {grad_bias_, this->out_features, 1}});
}

template class DenseStage<float>;
template class DenseStage<double>;

}  // namespace ne_torch
