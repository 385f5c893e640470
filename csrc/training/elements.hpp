// A member's samples as element-wise kernels take them: rows that are contiguous, however they lie.
#pragma once

#include "training/stage.hpp"

namespace ne_torch {

// run(rows, cols, matrices...) with my samples of (features, samples) matrices, all in one order; those of
// batch-major ones are a single row.
template <class T, class Run, class... U>
void on_my_elements(const Member<T>& me, index_t features, Run run, Matrix<U>... m) {
    if ((is_batch_major(m) && ...)) {
        run(1, me.width() * features, turned(me.mine(m))...);
    } else {
        run(features, me.width(), me.mine(m)...);
    }
}

template <class T>
void activation_forward(const Member<T>& me, const ActivationOptions<T>& options, index_t features,
                        Matrix<T> input, Matrix<T> output) {
    const auto run = [&](auto... elements) { me.kernels.activation_forward(options, elements...); };
    on_my_elements(me, features, run, read(input), output);
}

// saved: the output where it is kept, else the input
template <class T>
void activation_backward(const Member<T>& me, const ActivationOptions<T>& options, index_t features,
                         Matrix<T> grad_output, Matrix<T> saved, Matrix<T> grad_input) {
    const auto run = [&](auto... elements) { me.kernels.activation_backward_saved(options, elements...); };
    on_my_elements(me, features, run, read(grad_output), read(saved), grad_input);
}

}  // namespace ne_torch
