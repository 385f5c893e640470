// Whether kernels leave the upper halves of the vector registers clear, as the processor itself tells it:
//
//   registers
//
// With AVX, what is left there slows every SSE instruction of whoever goes on. One kernel of each make: with
// local functions for full and for masked vectors, with a call for every element, with a jump at its end.
#include <cpuid.h>

#include <cstdint>
#include <cstdio>
#include <vector>

#include "dispatch/registry.hpp"

namespace {

using namespace ne_torch;

bool processor_tells() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(13, 1, &a, &b, &c, &d) && (a & 4) != 0;  // XGETBV with ECX = 1
}

bool upper_halves_in_use() {
    std::uint32_t low = 0, high = 0;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
    return (low & 0x44) != 0;  // AVX and ZMM_Hi256
}

template <class T>
int dirty_kernels(const Kernels<T>& kernels, const char* isa) {
    constexpr index_t rows = 13, cols = 37;
    std::vector<T> x(rows * cols, T(0.5)), y = x, sums(cols);
    std::vector<double> squares(rows);
    const Matrix<const T> in{x.data(), cols, 1};
    const Matrix<T> out{y.data(), cols, 1};
    UpdateOptions<T> sgd;
    sgd.momentum = T(0.9);
    T* states[kMaxStates] = {sums.data()};
    GemmArgs<T> g;
    g.m = g.k = rows, g.n = cols, g.a = in, g.b = in, g.c = out;
    int dirty = 0;
    const auto check = [&](const char* kernel, auto call) {
        call();
        if (!upper_halves_in_use()) return;
        std::printf("%s, %d bytes: %s\n", isa, static_cast<int>(sizeof(T)), kernel);
        ++dirty;
    };
    check("gemm", [&] { kernels.gemm(g); });
    check("transpose", [&] { kernels.transpose(rows, rows, in, out); });
    check("row_sums", [&] { kernels.row_sums(rows, cols, in, false, sums.data()); });
    check("row_dots", [&] { kernels.row_dots(rows, cols, in, in, false, sums.data()); });
    check("row_square_sums", [&] { kernels.row_square_sums(rows, cols, in, squares.data()); });
    check("softmax_forward", [&] { kernels.softmax_forward(rows, cols, in, out); });
    check("log_softmax_forward", [&] { kernels.log_softmax_forward(rows, cols, in, out); });
    for (const Activation kind : {Activation::relu, Activation::tanh, Activation::gelu}) {
        check("activation_forward", [&] { kernels.activation_forward({kind}, rows, cols, in, out); });
        check("activation_backward", [&] { kernels.activation_backward({kind}, rows, cols, in, in, out); });
    }
    check("update", [&] { kernels.update(sgd, 1, cols, in, out, states); });
    return dirty;
}

}  // namespace

int main() {
    if (!processor_tells()) {
        std::printf("this processor does not tell\n");
        return 0;
    }
    int dirty = 0;
    for (const KernelTable* table : available_tables()) {
        dirty += dirty_kernels(table->f32, table->name) + dirty_kernels(table->f64, table->name);
    }
    std::printf("%d kernels leave something in the upper halves\n", dirty);
    return dirty > 0;
}
