#include "training/penalty.hpp"

#include "training/square_sums.hpp"

namespace ne_torch {

template <class T>
void Penalty<T>::list(const Plan<T>& plan, bool wanted) {
    parameters_.clear();
    if (wanted) plan.list_gradients(parameters_);
    reserve_square_sums(parameters_, square_sums_);
}

template <class T>
void Penalty<T>::square(const Team& team, const Kernels<T>& kernels, const UpdateOptions<T>* options) {
    double* sums = square_sums_.data();
    for (const Gradient<T>& gradient : parameters_) {
        if (options[gradient.parameter.group].weight_decay != 0) {
            square_my_rows<T>(team, kernels, gradient.rows, gradient.cols,
                              {gradient.parameter.data, gradient.cols, 1}, sums);
        }
        sums += gradient.rows;
    }
}

template <class T>
double Penalty<T>::value(const UpdateOptions<T>* options) const {
    const double* sums = square_sums_.data();
    double penalty = 0;
    for (const Gradient<T>& gradient : parameters_) {
        const auto decay = static_cast<double>(options[gradient.parameter.group].weight_decay);
        double total = 0;
        for (index_t row = 0; decay != 0 && row < gradient.rows; ++row) total += sums[row];
        penalty += decay / 2 * total;
        sums += gradient.rows;
    }
    return penalty;
}

template class Penalty<float>;
template class Penalty<double>;

}  // namespace ne_torch
