#include "training/orders.hpp"

#include <algorithm>

namespace ne_torch {
namespace {

// A row of few features that fills the panel of a product, or a narrower one to its end; and no fewer samples
// than weights that turn for each of them.
template <class T>
bool pays(const Stage<T>& before, const Kernels<T>& kernels, index_t rows) {
    constexpr index_t few = 64;
    const index_t lanes = kernels.lanes, width = before.out_features, rest = width % kernels.tile_cols;
    const bool fills = lanes > 1 && (rest == 0 || rest == lanes || rest == 2 * lanes);
    return fills && width <= few && rows >= std::max(before.in_features, width);
}

}  // namespace

template <class T>
bool lies_batch_major(const Plan<T>& plan, std::size_t i, const Kernels<T>& kernels, index_t rows) {
    std::size_t before = i, behind = i;  // stages that have a say: those between them follow
    while (before > 0 && plan.stage(before - 1).order() == Order::one) --before;
    while (behind < plan.size() && plan.stage(behind).order() == Order::one) ++behind;
    if (before == 0 || behind == plan.size()) return false;
    const Stage<T>& first = plan.stage(before - 1);
    return first.order() == Order::any && plan.stage(behind).order() == Order::any &&
           pays(first, kernels, rows);
}

template bool lies_batch_major(const Plan<float>&, std::size_t, const Kernels<float>&, index_t);
template bool lies_batch_major(const Plan<double>&, std::size_t, const Kernels<double>&, index_t);

}  // namespace ne_torch
