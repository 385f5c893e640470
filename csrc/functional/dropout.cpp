#include "functional/dropout.hpp"

#include <cmath>

#include "dispatch/registry.hpp"
#include "functional/turned.hpp"

namespace ne_torch {

DropoutArgs dropout_args(std::uint64_t seed, std::uint64_t pass, double p) {
    const auto threshold =
        static_cast<std::uint64_t>(std::llround(p * 0x1p32));  // 1 at least where anything drops
    return {seed, pass, 0, static_cast<std::uint32_t>(threshold - 1), p < 1 ? 1 / (1 - p) : 0};
}

template <class T>
void dropout(const DropoutArgs& args, index_t rows, index_t cols, const T* input, T* output) {
    const Kernels<T>& kernels = active_kernels<T>();
    const Turned<T> turned(kernels, rows, cols, turned_room<T>(cols, 1));
    DropoutArgs block = args;
    turned.for_each_block(rows, [&](index_t row, index_t count) {
        block.first_sample = args.first_sample + static_cast<std::uint32_t>(row);
        const Matrix<const T> x = turned.in(0, input, row, count);
        kernels.dropout(block, cols, count, x, turned.out(0, output, row, count));
        turned.flush(0, output, row, count);
    });
}

template void dropout(const DropoutArgs&, index_t, index_t, const float*, float*);
template void dropout(const DropoutArgs&, index_t, index_t, const double*, double*);

}  // namespace ne_torch
