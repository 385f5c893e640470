#include "functional/losses.hpp"

#include "dispatch/registry.hpp"
#include "functional/turned.hpp"

namespace ne_torch {
namespace {

// Calls body(args, first row) with the arguments of each block of rows, outputs left open.
template <class T, class Body>
void for_each_block(const LossSettings& settings, const LossBatch<T>& batch, const Turned<T>& turned,
                    Body body) {
    turned.for_each_block(batch.rows, [&](index_t row, index_t count) {
        LossArgs<T> args;
        args.options = &settings.options<T>();
        args.classes = batch.classes;
        args.count = count;
        args.prediction = turned.in(0, batch.prediction, row, count);
        if (batch.indices) {
            args.indices = batch.indices + row;
        } else {
            args.target = turned.in(1, batch.target, row, count);
        }
        if (batch.sample_weight) args.sample_weight = batch.sample_weight + row;
        body(args, row);
    });
}

// Elements without weights of their own need not be turned: the whole batch is one class of many samples.
template <class T>
LossBatch<T> flattened(const LossSettings& settings, LossBatch<T> batch) {
    const LossOptions<T>& options = settings.options<T>();
    if (is_class_wise(options.kind) || options.weight || options.pos_weight || batch.sample_weight)
        return batch;
    batch.rows *= batch.classes;
    batch.classes = 1;
    return batch;
}

template <class T>
Turned<T> turned_for(const Kernels<T>& kernels, const LossBatch<T>& batch, int operands) {
    T* const room = batch.rows == 1 || batch.classes == 1 ? nullptr : turned_room<T>(batch.classes, operands);
    return {kernels, batch.rows, batch.classes, room};
}

}  // namespace

template <class T>
double loss_divisor(const LossSettings& settings, index_t rows, index_t classes, const std::int64_t* indices,
                    const T* sample_weight, const std::int64_t* order) {
    if (settings.reduction() != Reduction::mean) return 1;
    const index_t elements = is_class_wise(settings.kind()) ? 1 : classes;
    if (!indices && !sample_weight) return static_cast<double>(rows * elements);
    const LossOptions<T>& options = settings.options<T>();
    double total = 0;
    for (index_t b = 0; b < rows; ++b) {
        const index_t row = order ? order[b] : b;
        if (indices && indices[row] == options.ignore_index) continue;
        double weight = indices && options.weight ? static_cast<double>(options.weight[indices[row]]) : 1.0;
        if (sample_weight) weight = static_cast<double>(sample_weight[row]) * weight;
        total += weight;
    }
    return static_cast<double>(elements) * total;
}

template <class T>
double loss_total(const LossSettings& settings, const LossBatch<T>& batch) {
    const Kernels<T>& kernels = active_kernels<T>();
    double total = 0;
    for_each_block(settings, batch, turned_for(kernels, batch, 2), [&](LossArgs<T>& args, index_t) {
        double loss[kTurnedRows];
        args.loss = loss;
        kernels.loss(args);
        total = take_up(total, args.count, loss, args.sample_weight);
    });
    return total;
}

template <class T>
void loss_values(const LossSettings& settings, const LossBatch<T>& whole, T* values) {
    const Kernels<T>& kernels = active_kernels<T>();
    const LossBatch<T> batch = flattened(settings, whole);
    const Turned<T> turned = turned_for(kernels, batch, 2);
    for_each_block(settings, batch, turned, [&](LossArgs<T>& args, index_t row) {
        if (!is_class_wise(settings.kind())) {
            args.values = turned.out(0, values, row, args.count);
            kernels.loss(args);
            return turned.flush(0, values, row, args.count);
        }
        double loss[kTurnedRows];
        args.loss = loss;
        kernels.loss(args);
        for (index_t b = 0; b < args.count; ++b) {
            const double weight = args.sample_weight ? static_cast<double>(args.sample_weight[b]) : 1.0;
            values[row + b] = static_cast<T>(weight * loss[b]);
        }
    });
}

template <class T>
void loss_gradient(const LossSettings& settings, const LossBatch<T>& whole, T scale, const T* grad_output,
                   T* grad_input) {
    const Kernels<T>& kernels = active_kernels<T>();
    const LossBatch<T> batch = flattened(settings, whole);
    const Turned<T> turned = turned_for(kernels, batch, 3);
    for_each_block(settings, batch, turned, [&](LossArgs<T>& args, index_t row) {
        args.scale = scale;
        if (grad_output && is_class_wise(settings.kind())) {
            args.grad_output = {grad_output + row, args.count, 1};
        } else if (grad_output) {
            args.grad_output = turned.in(2, grad_output, row, args.count);
        }
        args.grad_input = turned.out(0, grad_input, row, args.count);
        kernels.loss(args);
        turned.flush(0, grad_input, row, args.count);
    });
}

template double loss_divisor(const LossSettings&, index_t, index_t, const std::int64_t*, const float*,
                             const std::int64_t*);
template double loss_total(const LossSettings&, const LossBatch<float>&);
template void loss_values(const LossSettings&, const LossBatch<float>&, float*);
template void loss_gradient(const LossSettings&, const LossBatch<float>&, float, const float*, float*);
template double loss_divisor(const LossSettings&, index_t, index_t, const std::int64_t*, const double*,
                             const std::int64_t*);
template double loss_total(const LossSettings&, const LossBatch<double>&);
template void loss_values(const LossSettings&, const LossBatch<double>&, double*);
template void loss_gradient(const LossSettings&, const LossBatch<double>&, double, const double*, double*);

}  // namespace ne_torch
