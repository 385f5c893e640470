#include "training/stages/residual.hpp"

namespace ne_torch {

template <class T>
double ResidualStage<T>::work_per_row(bool first) const {
    double work = 0;
    for (std::size_t i = 0; i < f_->size(); ++i) work += f_->stage(i).work_per_row(first && i == 0);
    return work;
}

template <class T>
void ResidualStage<T>::lay_out(Layout<T>& layout, const Extent& extent) {
    for (std::size_t i = 0; i < f_->size(); ++i) {
        Stage<T>& stage = f_->stage(i);
        values_[i] = layout.take_matrix(stage.out_features, extent.rows);
        gradients_[i] = layout.take_matrix(stage.in_features, extent.rows);
        stage.lay_out(layout, extent);
    }
    grad_output_ = layout.take_matrix(this->in_features, extent.rows);
}

template <class T>
index_t ResidualStage<T>::packing(const Kernels<T>& kernels, index_t rows, const Ends<T>& ends) const {
    index_t room = 0;
    for (std::size_t i = 0; i < f_->size(); ++i) {
        room = std::max(room, f_->stage(i).packing(kernels, rows, ends));
    }
    return room;
}

template <class T>
Ends<T> ResidualStage<T>::inner(const Member<T>& me, std::size_t i, const Ends<T>& ends) const {
    const bool last = i + 1 == f_->size();
    Ends<T> result;
    result.input = i == 0 ? ends.input : me.of_block(values_[i - 1]);
    result.output = me.of_block(values_[i]);
    result.grad_output = me.of_block(last ? grad_output_ : gradients_[i + 1]);
    if (i > 0 || ends.grad_input.data) result.grad_input = me.of_block(gradients_[i]);
    if (i == 0) result.samples = ends.samples;
    return result;
}

template <class T>
void ResidualStage<T>::forward(Member<T>& me, const Ends<T>& ends) {
    for (std::size_t i = 0; i < f_->size(); ++i) {
        f_->stage(i).run_forward(me, inner(me, i, ends));
    }
    me.begin(Share::samples);
    const Matrix<T> result = f_->size() == 0 ? ends.input : me.of_block(values_.back());
    me.kernels.add(this->in_features, me.width(), read(me.mine(ends.input)), read(me.mine(result)),
                   me.mine(ends.output));
}

template <class T>
void ResidualStage<T>::backward(Member<T>& me, const Ends<T>& ends) {
    me.kernels.activation_forward({}, this->in_features, me.width(), read(me.mine(ends.grad_output)),
                                  me.mine(me.of_block(grad_output_)));
    const std::size_t lowest = ends.grad_input.data ? 0 : f_->first_learning();
    for (std::size_t i = f_->size(); i-- > lowest;) {
        f_->stage(i).run_backward(me, inner(me, i, ends));
    }
    if (!ends.grad_input.data) return;
    me.begin(Share::samples);
    const Matrix<T> grad = f_->size() == 0 ? ends.grad_output : me.of_block(gradients_.front());
    me.kernels.add(this->in_features, me.width(), read(me.mine(ends.grad_output)), read(me.mine(grad)),
                   me.mine(ends.grad_input));
}

template <class T>
void ResidualStage<T>::update(Member<T>& me, const Ends<T>& ends) {
    for (std::size_t i = 0; i < f_->size(); ++i) f_->stage(i).update(me, inner(me, i, ends));
}

template <class T>
void ResidualStage<T>::list_gradients(std::vector<Gradient<T>>& gradients) const {
    f_->list_gradients(gradients);
}

template class ResidualStage<float>;
template class ResidualStage<double>;

}  // namespace ne_torch
