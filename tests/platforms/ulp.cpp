// The error of the elementary functions in units in the last place:
//
//   ulp float32 FUNCTION STRIDE   the function of every STRIDE-th float, all 2^32 bit patterns for 1, against
//                                 libm in float64; prints the largest error and the argument that has it
//   ulp float64 FUNCTION          reads float64 numbers, writes the function of each: whoever calls has a
//                                 reference
//
// FUNCTION is one of the table below, or draws_log: the log of csrc/random, in float64 only. They are the
// templates of the kernels with the scalar vector type; every table has its bits.
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "isa/vec_scalar.hpp"
#include "kernels/elementary/erf.hpp"
#include "kernels/elementary/exp.hpp"
#include "kernels/elementary/expm1.hpp"
#include "kernels/elementary/log.hpp"
#include "kernels/elementary/sigmoid.hpp"
#include "kernels/elementary/tanh.hpp"
#include "random/logarithm.hpp"

namespace {

using namespace ne_torch::scalar;

struct Function {
    const char* name;
    VecF32 (*single)(VecF32);
    VecF64 (*wide)(VecF64);
    double (*exact)(double);  // to the precision of float64
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

constexpr Function kFunctions[] = {
    {"exp", ne_torch::exp<VecF32>, ne_torch::exp<VecF64>, std::exp},
    {"expm1", ne_torch::expm1<VecF32>, ne_torch::expm1<VecF64>, std::expm1},
    {"log", ne_torch::log<VecF32>, ne_torch::log<VecF64>, std::log},
    {"log1p", ne_torch::log1p<VecF32>, ne_torch::log1p<VecF64>, std::log1p},
    {"tanh", ne_torch::tanh<VecF32>, ne_torch::tanh<VecF64>, std::tanh},
    {"erf", ne_torch::erf<VecF32>, ne_torch::erf<VecF64>, std::erf},
    {"sigmoid", ne_torch::sigmoid<VecF32>, ne_torch::sigmoid<VecF64>, sigmoid},
};

// found against the exact value, in units in the last place of the float next to it
double error_of(float found, double exact) {
    const auto rounded = static_cast<float>(exact);
    if (std::isnan(exact)) return std::isnan(found) ? 0 : INFINITY;
    if (std::isinf(rounded) || rounded == 0.0f) {
        // where the exact value rounds to 0 or inf the neighbour is one ulp away
        const float size = std::fabs(found);
        const bool beside =
            size == std::numeric_limits<float>::denorm_min() || size == std::numeric_limits<float>::max();
        return found == rounded ? 0 : beside ? 1 : INFINITY;
    }
    const double ulp = std::fabs(static_cast<double>(rounded) - std::nextafter(rounded, 0.0f));
    return std::fabs(static_cast<double>(found) - exact) / ulp;
}

void measure_floats(const Function& function, std::uint64_t stride) {
    double worst = 0;
    float where = 0;
    std::uint64_t count = 0;
    for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += stride) {
        const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
        const double error = error_of(function.single({x}).v, function.exact(static_cast<double>(x)));
        ++count;
        if (error > worst) worst = error, where = x;
    }
    std::printf("%.4f ulp at %a, of %llu floats\n", worst, static_cast<double>(where),
                static_cast<unsigned long long>(count));
}

template <class Compute>
void map_doubles(Compute compute) {
    double x = 0;
    while (std::fread(&x, sizeof(x), 1, stdin) == 1) {
        x = compute(x);
        std::fwrite(&x, sizeof(x), 1, stdout);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string dtype = argc > 2 ? argv[1] : "", name = argc > 2 ? argv[2] : "";
    for (const Function& function : kFunctions) {
        if (name != function.name) continue;
        if (dtype == "float32" && argc > 3)
            return measure_floats(function, std::strtoull(argv[3], nullptr, 10)), 0;
        if (dtype == "float64") return map_doubles([&](double x) { return function.wide({x}).v; }), 0;
    }
    if (dtype == "float64" && name == "draws_log") return map_doubles(ne_torch::log_positive), 0;
    std::fputs("usage: ulp float32 FUNCTION STRIDE | ulp float64 FUNCTION\n", stderr);
    return 2;
}
