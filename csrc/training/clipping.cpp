#include "training/clipping.hpp"

#include <cmath>

#include "core/partition.hpp"
#include "training/square_sums.hpp"

namespace ne_torch {
namespace {

// A NaN is left one.
double factor_of(double max_norm, double norm) {
    const double factor = max_norm / (norm + 1e-6);
    return factor >= 1 ? 1 : factor;
}

template <class T>
Matrix<const T> rows_from(const Gradient<T>& gradient, index_t begin) {
    return {gradient.value.at(begin, 0), gradient.value.row_stride, 1};
}

// The rows of a parameter lie one after the other, and those of its states.
template <class T>
void update_rows(const Kernels<T>& kernels, const UpdateOptions<T>& options, const Gradient<T>& gradient,
                 Range rows) {
    const index_t offset = rows.begin * gradient.cols;
    States<T> states = gradient.parameter.states;
    for (T*& state : states) {
        if (state) state += offset;
    }
    kernels.update(options, rows.end - rows.begin, gradient.cols, rows_from(gradient, rows.begin),
                   {gradient.parameter.data + offset, gradient.cols, 1}, states.data());
}

}  // namespace

template <class T>
void KeptGradients<T>::list(const Plan<T>& plan) {
    gradients_.clear();
    plan.list_gradients(gradients_);
    reserve_square_sums(gradients_, square_sums_);
}

template <class T>
void KeptGradients<T>::clip_and_update(Team& team, const Kernels<T>& kernels, double max_norm,
                                       UpdateOptions<T>* options, std::size_t groups) {
    double* sums = square_sums_.data();
    for (const Gradient<T>& gradient : gradients_) {
        square_my_rows(team, kernels, gradient.rows, gradient.cols, gradient.value, sums);
        sums += gradient.rows;
    }
    team.barrier();
    double total = 0;  // every member adds up the same: a row is soon added, and a barrier is not
    for (const double sum : square_sums_) total += sum;
    const T scale = static_cast<T>(factor_of(max_norm, std::sqrt(total)));
    for (std::size_t group = 0; group < groups; ++group) options[group].gradient_scale = scale;
    for (const Gradient<T>& gradient : gradients_) {
        update_rows(kernels, options[gradient.parameter.group], gradient,
                    share_range(gradient.rows, 1, team.index, team.count));
    }
}

template class KeptGradients<float>;
template class KeptGradients<double>;

}  // namespace ne_torch
