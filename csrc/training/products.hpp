// The three products of a dense stage in feature-major layout, as arguments of the one gemm.
//
//   forward      act(i + 1)[o, b] = activation(chain over k of weight[o, k] * act(i)[k, b], + bias[o])
//   grad_input   grad(i)[k, b]    = chain over o of weight[o, k] * grad(i + 1)[o, b], gated by act(i)
//   update       weight[o, k]     = update of weight[o, k] with chain over b of grad(i + 1)[o, b] * x[b, k]
#pragma once

#include "core/gemm_args.hpp"
#include "training/plan.hpp"

namespace ne_torch {

template <class T>
Matrix<const T> read(Matrix<T> m) {
    return {m.data, m.row_stride, m.col_stride};
}

template <class T>
GemmArgs<T> forward_product(const Stage<T>& stage, index_t rows, Matrix<T> input, Matrix<T> output) {
    GemmArgs<T> g;
    g.m = stage.out_features;
    g.n = rows;
    g.k = stage.in_features;
    g.a = {stage.weight, stage.in_features, 1};
    g.b = read(input);
    g.c = output;
    g.epilogue = Epilogue::bias_row;
    g.activation = stage.activation;
    g.bias = stage.bias;
    return g;
}

template <class T>
GemmArgs<T> grad_input_product(const Stage<T>& stage, index_t rows, Matrix<T> grad_output,
                               Matrix<T> grad_input) {
    GemmArgs<T> g;
    g.m = stage.in_features;
    g.n = rows;
    g.k = stage.out_features;
    g.a = {stage.weight, 1, stage.in_features};
    g.b = read(grad_output);
    g.c = grad_input;
    return g;
}

template <class T>
GemmArgs<T> update_product(const Stage<T>& stage, index_t rows, Matrix<T> grad_output,
                           Matrix<const T> batch_major_input, const UpdateOptions<T>& options) {
    GemmArgs<T> g;
    g.m = stage.out_features;
    g.n = stage.in_features;
    g.k = rows;
    g.a = read(grad_output);
    g.b = batch_major_input;
    g.c = {stage.weight, stage.in_features, 1};
    g.epilogue = Epilogue::update;
    g.update = &options;
    for (std::size_t i = 0; i < stage.weight_states.size(); ++i) g.state[i] = stage.weight_states[i];
    return g;
}

}  // namespace ne_torch
