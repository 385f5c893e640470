// The contract between the floors: what one instruction set offers, as function pointers.
//
// A table is filled once, in isa/<name>.cpp, from the templates in kernels/. Every table computes the same
// bits: the difference between two of them is time alone.
#pragma once

#include <cstdint>

#include "core/activation_options.hpp"
#include "core/dropout_args.hpp"
#include "core/gemm_args.hpp"
#include "core/loss_args.hpp"
#include "core/matvec_args.hpp"
#include "core/names.hpp"
#include "core/norm_args.hpp"
#include "core/panels.hpp"
#include "core/views.hpp"

namespace ne_torch {

template <class T>
struct Kernels {
    int lanes;      // elements of one vector
    int tile_rows;  // MR of the register tile
    int tile_cols;  // NR of the register tile, a multiple of lanes

    void (*gemm)(const GemmArgs<T>&);
    index_t (*gemm_workspace)(const GemmArgs<T>&);  // elements, for arguments that lack only it

    int few_vectors;                       // the most that matvec takes
    void (*matvec)(const MatvecArgs<T>&);  // a product with one vector, or a few

    // a dense layer whose weights lie in panels
    void (*panel_forward)(const PanelArgs<T>&);

    // target[j, i] = source[i, j] for a (rows, cols) source; both contiguous along their last axis
    void (*transpose)(index_t rows, index_t cols, Matrix<const T> source, Matrix<T> target);

    // total[i] = sum over j ascending of values[i, j], from +0 or, where it goes on, from total[i]
    void (*row_sums)(index_t rows, index_t cols, Matrix<const T> values, bool goes_on, T* total);
    // total[j] = sum over i ascending of values[i, j]
    void (*column_sums)(index_t rows, index_t cols, Matrix<const T> values, T* total);
    // the same with the products a[i, j] * b[i, j] for values, as chains
    void (*row_dots)(index_t rows, index_t cols, Matrix<const T> a, Matrix<const T> b, bool goes_on,
                     T* total);
    void (*column_dots)(index_t rows, index_t cols, Matrix<const T> a, Matrix<const T> b, T* total);

    // output = a + b; in place is fine
    void (*add)(index_t rows, index_t cols, Matrix<const T> a, Matrix<const T> b, Matrix<T> output);
    // output[i, j] = fma(input[i, j], scale[j], shift[j]), or input[i, j] * scale[j] where shift is null
    void (*scale_shift)(index_t rows, index_t cols, Matrix<const T> input, const T* scale, const T* shift,
                        Matrix<T> output);
    // the same for bytes: output[i, j] = fma(input[i, j], scale[j], shift[j])
    void (*scale_bytes)(index_t rows, index_t cols, Matrix<const std::uint8_t> input, const T* scale,
                        const T* shift, Matrix<T> output);

    // total[i] = chain over j ascending of values[i, j]^2, in float64
    void (*row_square_sums)(index_t rows, index_t cols, Matrix<const T> values, double* total);

    // Element-wise on (rows, cols) matrices; in place is fine.
    void (*activation_forward)(const ActivationOptions<T>& options, index_t rows, index_t cols,
                               Matrix<const T> input, Matrix<T> output);
    void (*activation_backward)(const ActivationOptions<T>& options, index_t rows, index_t cols,
                                Matrix<const T> grad_output, Matrix<const T> input, Matrix<T> grad_input);
    // the same from the output where keeps_output(options.kind), else from the input
    void (*activation_backward_saved)(const ActivationOptions<T>& options, index_t rows, index_t cols,
                                      Matrix<const T> grad_output, Matrix<const T> saved,
                                      Matrix<T> grad_input);

    // Feature-major (classes, count) matrices: a column is one sample. In place is fine.
    void (*softmax_forward)(index_t classes, index_t count, Matrix<const T> input, Matrix<T> output);
    void (*softmax_backward)(index_t classes, index_t count, Matrix<const T> grad_output,
                             Matrix<const T> output, Matrix<T> grad_input);
    void (*dropout)(const DropoutArgs& args, index_t features, index_t count, Matrix<const T> input,
                    Matrix<T> output);
    void (*layer_norm_forward)(const NormForward<T>&);
    void (*layer_norm_backward)(const NormBackward<T>&);
    void (*batch_norm_forward)(const NormForward<T>&);
    void (*batch_norm_backward)(const NormBackward<T>&);
    void (*log_softmax_forward)(index_t classes, index_t count, Matrix<const T> input, Matrix<T> output);
    void (*log_softmax_backward)(index_t classes, index_t count, Matrix<const T> grad_output,
                                 Matrix<const T> output, Matrix<T> grad_input);
    // the loss of each sample or element, and the gradient with respect to the prediction, as there is room
    void (*loss)(const LossArgs<T>&);

    // param = one update of it, element-wise on (rows, cols) matrices; states are laid out as param
    void (*update)(const UpdateOptions<T>& options, index_t rows, index_t cols, Matrix<const T> grad,
                   Matrix<T> param, T* const* state);
};

struct KernelTable {
    const char* name;
    Kernels<float> f32;
    Kernels<double> f64;
};

template <class T>
const Kernels<T>& kernels_of(const KernelTable& table);
template <>
inline const Kernels<float>& kernels_of<float>(const KernelTable& table) {
    return table.f32;
}
template <>
inline const Kernels<double>& kernels_of<double>(const KernelTable& table) {
    return table.f64;
}

}  // namespace ne_torch
