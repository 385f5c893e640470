#include "training/penalty.hpp"

#include "core/partition.hpp"

namespace ne_torch {

template <class T>
void Penalty<T>::list(const Plan<T>& plan, bool wanted) {
    parameters_.clear();
    index_t rows = 0;
    if (wanted) plan.list_gradients(parameters_);
    for (const Gradient<T>& gradient : parameters_) rows += gradient.rows;
    square_sums_.resize(static_cast<std::size_t>(rows));
}

template <class T>
void Penalty<T>::square(const Team& team, const Kernels<T>& kernels, const UpdateOptions<T>* options) {
    double* sums = square_sums_.data();
    for (const Gradient<T>& gradient : parameters_) {
        if (options[gradient.parameter.group].weight_decay != 0) {
            const Matrix<const T> values{gradient.parameter.data, gradient.cols, 1};
            const Range mine = share_range(gradient.rows, 1, team.index, team.count);
            kernels.row_square_sums(mine.end - mine.begin, gradient.cols,
                                    {values.at(mine.begin, 0), gradient.cols, 1}, sums + mine.begin);
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
