// One update of parameters by any optimizer, by the table's update and by the store of grad_weight. First
//
//   grad  = gradient_scale == 1 ? grad : gradient_scale * grad
//   grad  = gradient_limit == 0 ? grad : min(limit, max(0 - limit, grad))       a NaN stays
//   g     = maximize ? 0 - grad : grad,  then  weight_decay == 0 ? g : fma(weight_decay, param, g)
//   param = shrink == 1 ? param : shrink * param
//
// and then the step of the optimizer, see optimizers.hpp.
#pragma once

#include "core/compiler.hpp"
#include "core/update_options.hpp"
#include "core/views.hpp"
#include "kernels/lanes.hpp"
#include "kernels/optimizers.hpp"

namespace ne_torch {

// The states of the vector of parameters at element `at`; those `next` elements further are fetched, so that
// they are in the cache when their turn comes.
template <class V, class Lanes>
struct StateAt {
    typename V::T* const (&state)[kMaxStates];
    index_t at;
    index_t next;
    Lanes lanes;
    V load(int i) const {
        NE_TORCH_PREFETCH_WRITE(state[i] + at + next);
        return lanes.load(state[i] + at);
    }
    void store(int i, V x) const { lanes.store(state[i] + at, x); }
};

// What every optimizer does to a gradient, and to the parameter, before its own step. Mostly nothing, which
// is one test for each vector: the fewer instructions, the more divisions are begun before the first is done.
template <class V>
class Preparation {
  public:
    using T = typename V::T;

    explicit Preparation(const UpdateOptions<T>& options)
        : scale_(V::broadcast(options.gradient_scale)),
          limit_(V::broadcast(options.gradient_limit)),
          weight_decay_(V::broadcast(options.weight_decay)),
          shrink_(V::broadcast(options.shrink)),
          scales_(options.gradient_scale != T(1)),
          limits_(options.gradient_limit != T(0)),
          maximizes_(options.maximize),
          decays_(options.weight_decay != T(0)),
          shrinks_(options.shrink != T(1)),
          rare_(scales_ || limits_ || maximizes_),
          anything_(rare_ || decays_ || shrinks_) {}

    V gradient(V g, V param) const {
        if (!anything_) return g;
        if (rare_) {
            if (scales_) g = scale_ * g;
            if (limits_) g = V::min(limit_, V::max(V::broadcast(0) - limit_, g));
            if (maximizes_) g = V::broadcast(0) - g;
        }
        return decays_ ? V::fma(weight_decay_, param, g) : g;
    }
    V parameter(V param) const { return anything_ && shrinks_ ? shrink_ * param : param; }

  private:
    V scale_, limit_, weight_decay_, shrink_;
    bool scales_, limits_, maximizes_, decays_, shrinks_, rare_, anything_;
};

// A block of parameters, a vector of columns after the other, each down all rows. `first` is its first
// element in param and in the states, and `next` leads to that of the block that comes next, or is 0. What
// the loop needs is copied into its locals, which no store of a vector can change: they stay in registers.
template <class V>
void update_block(const UpdateOptions<typename V::T>& options, index_t rows, index_t cols,
                  Matrix<const typename V::T> grad, Matrix<typename V::T> param, typename V::T* const* state,
                  index_t first, index_t next) {
    using T = typename V::T;
    with_optimizer<V>(options, [&](auto step) {
        const Preparation<V> prepare(options);
        T* const states[kMaxStates] = {state[0], state[1], state[2]};
        const index_t ahead = next, param_stride = param.row_stride, grad_stride = grad.row_stride;
        for_each_chunk<V>(cols, [&](index_t j, auto lanes) {
            const T* g = grad.at(0, j);
            index_t at = first + j;
            T* p = param.data + at;
            for (index_t i = rows; i > 0; --i) {
                const V old = lanes.load(p);
                const V direction = prepare.gradient(lanes.load(g), old);
                const StateAt<V, decltype(lanes)> mine{states, at, ahead, lanes};
                lanes.store(p, step(prepare.parameter(old), direction, mine));
                g += grad_stride;
                p += param_stride;
                at += param_stride;
            }
        });
    });
}

// Any shape: the whole vectors of a long row are the rows of a block that is one vector wide.
template <class V>
void update(const UpdateOptions<typename V::T>& options, index_t rows, index_t cols,
            Matrix<const typename V::T> grad, Matrix<typename V::T> param, typename V::T* const* state) {
    constexpr index_t narrow = 2 * V::lanes;
    if (cols <= narrow) return update_block<V>(options, rows, cols, grad, param, state, 0, 0);
    const index_t vectors = cols / V::lanes, whole = vectors * V::lanes;
    for (index_t i = 0; i < rows; ++i) {
        const index_t first = i * param.row_stride;
        update_block<V>(options, vectors, V::lanes, {grad.at(i, 0), V::lanes, 1}, {param.data, V::lanes, 1},
                        state, first, 0);
        update_block<V>(options, 1, cols - whole, {grad.at(i, whole), 0, 1}, {param.data, 0, 1}, state,
                        first + whole, 0);
    }
}

}  // namespace ne_torch
