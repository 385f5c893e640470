#include "functional/normalization.hpp"

#include <algorithm>
#include <cmath>

#include "dispatch/registry.hpp"
#include "functional/turned.hpp"

namespace ne_torch {
namespace {

template <class T>
void layer_norm_blocks(const LayerNorm<T>& norm, index_t rows, index_t cols, const T* input, T* normalized,
                       T* rstd, T* output, T* room) {
    const Kernels<T>& kernels = active_kernels<T>();
    const Turned<T> turned(kernels, rows, cols, room);
    turned.for_each_block(rows, [&](index_t row, index_t count) {
        NormForward<T> a;
        a.features = cols;
        a.count = count;
        a.eps = norm.eps;
        a.weight = norm.weight;
        a.bias = norm.bias;
        a.input = turned.in(0, input, row, count);
        a.output = turned.out(0, output, row, count);
        a.normalized = normalized ? turned.out(1, normalized, row, count) : a.output;
        a.rstd = rstd ? rstd + row : nullptr;
        kernels.layer_norm_forward(a);
        turned.flush(0, output, row, count);
        if (normalized) turned.flush(1, normalized, row, count);
    });
}

// A group of columns of a batch-major matrix as rows, with a copy of it in room.
template <class T>
class Columns {
  public:
    Columns(const Kernels<T>& kernels, index_t rows, T* room) : kernels_(kernels), rows_(rows), room_(room) {}

    template <class U>
    Matrix<T> in(int slot, Matrix<U> m, index_t first, index_t count) const {
        const Matrix<T> copy = out(slot);
        kernels_.transpose(rows_, count, {m.at(0, first), m.row_stride, 1}, copy);
        return copy;
    }
    Matrix<T> out(int slot) const { return {room_ + slot * kTurnedRows * rows_, rows_, 1}; }
    void flush(int slot, Matrix<T> m, index_t first, index_t count) const {
        kernels_.transpose(count, rows_, {out(slot).data, rows_, 1}, {m.at(0, first), m.row_stride, 1});
    }

  private:
    const Kernels<T>& kernels_;
    index_t rows_;
    T* room_;
};

template <class T>
T* from(T* array, index_t first) {
    return array ? array + first : nullptr;
}

}  // namespace

template <class T>
void layer_norm_forward(const LayerNorm<T>& norm, index_t rows, index_t cols, const T* input, T* normalized,
                        T* rstd, T* output) {
    layer_norm_blocks(norm, rows, cols, input, normalized, rstd, output, turned_room<T>(cols, 2));
}

index_t layer_norm_room(index_t cols) { return cols * kTurnedRows; }

template <class T>
void layer_norm_forward(const LayerNorm<T>& norm, index_t rows, index_t cols, const T* input, T* output,
                        T* room) {
    layer_norm_blocks<T>(norm, rows, cols, input, nullptr, nullptr, output, room);
}

template <class T>
void layer_norm_backward(index_t rows, index_t cols, const T* weight, const T* grad_output,
                         const T* normalized, const T* rstd, T* grad_input) {
    const Kernels<T>& kernels = active_kernels<T>();
    const Turned<T> turned(kernels, rows, cols, turned_room<T>(cols, 2));
    turned.for_each_block(rows, [&](index_t row, index_t count) {
        NormBackward<T> a;
        a.features = cols;
        a.count = count;
        a.weight = weight;
        a.grad_output = turned.in(0, grad_output, row, count);
        a.normalized = turned.in(1, normalized, row, count);
        a.rstd = rstd + row;
        a.grad_input = turned.out(0, grad_input, row, count);
        kernels.layer_norm_backward(a);
        turned.flush(0, grad_input, row, count);
    });
}

template <class T>
void batch_norm_forward(const NormForward<T>& args) {
    const Kernels<T>& kernels = active_kernels<T>();
    const Columns<T> columns(kernels, args.count, turned_room<T>(args.count, 2));
    for (index_t first = 0; first < args.features; first += kTurnedRows) {
        NormForward<T> a = args;
        a.features = std::min(args.features - first, kTurnedRows);
        a.weight = from(args.weight, first);
        a.bias = from(args.bias, first);
        a.rstd += first;
        a.mean += first;
        a.square += first;
        const Matrix<T> x = columns.in(0, args.input, first, a.features);
        a.input = {x.data, x.row_stride, 1};
        a.output = x;
        a.normalized = columns.out(1);
        kernels.batch_norm_forward(a);
        columns.flush(0, args.output, first, a.features);
        columns.flush(1, args.normalized, first, a.features);
    }
}

template <class T>
void batch_norm_backward(const NormBackward<T>& args) {
    const Kernels<T>& kernels = active_kernels<T>();
    const Columns<T> columns(kernels, args.count, turned_room<T>(args.count, 2));
    for (index_t first = 0; first < args.features; first += kTurnedRows) {
        NormBackward<T> a = args;
        a.features = std::min(args.features - first, kTurnedRows);
        a.weight = from(args.weight, first);
        a.rstd += first;
        a.grad_weight += first;
        a.grad_bias += first;
        const Matrix<T> grad = columns.in(0, args.grad_output, first, a.features);
        const Matrix<T> x = columns.in(1, args.normalized, first, a.features);
        a.grad_output = {grad.data, grad.row_stride, 1};
        a.normalized = {x.data, x.row_stride, 1};
        a.grad_input = grad;
        kernels.batch_norm_backward(a);
        columns.flush(0, args.grad_input, first, a.features);
    }
}

template <class T>
void update_running(index_t features, index_t count, double momentum, const T* mean, const T* square,
                    T* running_mean, T* running_var) {
    const T share = static_cast<T>(momentum);
    const T kept = static_cast<T>(1 - momentum);
    const T divisor = static_cast<T>(count - 1);
    for (index_t f = 0; f < features; ++f) {
        running_mean[f] = std::fma(share, mean[f], kept * running_mean[f]);
        running_var[f] = std::fma(share, square[f] / divisor, kept * running_var[f]);
    }
}

template <class T>
void fold_statistics(index_t features, T eps, const T* weight, const T* bias, const T* mean, const T* var,
                     T* scale, T* shift) {
    for (index_t f = 0; f < features; ++f) {
        scale[f] = (weight ? weight[f] : T(1)) / std::sqrt(var[f] + eps);
        shift[f] = std::fma(-mean[f], scale[f], bias ? bias[f] : T(0));
    }
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type stands in no parentheses
#define NE_TORCH_NORMALIZATION(T)                                                                    \
    template void layer_norm_forward(const LayerNorm<T>&, index_t, index_t, const T*, T*, T*, T*);   \
    template void layer_norm_forward(const LayerNorm<T>&, index_t, index_t, const T*, T*, T*);       \
    template void layer_norm_backward(index_t, index_t, const T*, const T*, const T*, const T*, T*); \
    template void batch_norm_forward(const NormForward<T>&);                                         \
    template void batch_norm_backward(const NormBackward<T>&);                                       \
    template void update_running(index_t, index_t, double, const T*, const T*, T*, T*);              \
    template void fold_statistics(index_t, T, const T*, const T*, const T*, const T*, T*, T*)
// NOLINTEND(bugprone-macro-parentheses)

NE_TORCH_NORMALIZATION(float);
NE_TORCH_NORMALIZATION(double);

}  // namespace ne_torch
