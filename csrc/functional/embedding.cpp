#include "functional/embedding.hpp"

#include <algorithm>

#include "dispatch/registry.hpp"

namespace ne_torch {

template <class T>
void embedding_backward(index_t count, index_t dim, const std::int64_t* codes, const T* grad_output,
                        index_t table_rows, index_t padding, T* grad_weight) {
    const Kernels<T>& kernels = active_kernels<T>();
    std::fill(grad_weight, grad_weight + table_rows * dim, T(0));
    for (index_t b = 0; b < count; ++b) {
        if (codes[b] == padding) continue;
        T* const row = grad_weight + codes[b] * dim;
        kernels.add(1, dim, {row}, {grad_output + b * dim}, {row});
    }
}

template void embedding_backward(index_t, index_t, const std::int64_t*, const float*, index_t, index_t,
                                 float*);
template void embedding_backward(index_t, index_t, const std::int64_t*, const double*, index_t, index_t,
                                 double*);

}  // namespace ne_torch
