// The error of exp and log in units in the last place:
//
//   ulp float32 STRIDE     exp of every STRIDE-th float, all 2^32 bit patterns for 1, against exp in float64;
//                          prints the largest error and the argument that has it
//   ulp exp | ulp log      reads float64 numbers, writes the function of each: whoever calls has a reference
//
// exp is the template of the kernels with the scalar vector type; every table has its bits.
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "isa/vec_scalar.hpp"
#include "kernels/exp.hpp"
#include "random/logarithm.hpp"

namespace {

template <class V>
typename V::T exponential(typename V::T x) {
    return ne_torch::exp(V::broadcast(x)).v;
}

void measure_floats(std::uint64_t stride) {
    using V = ne_torch::scalar::VecF32;
    double worst = 0;
    float where = 0;
    std::uint64_t count = 0;
    for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += stride) {
        const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
        const double exact = std::exp(static_cast<double>(x));
        const float found = exponential<V>(x);
        const auto rounded = static_cast<float>(exact);
        ++count;
        double error = 0;
        if (std::isnan(x) || std::isinf(rounded) || rounded == 0.0f) {
            const bool right = std::isnan(x) ? std::isnan(found) : found == rounded;
            // where the exact value rounds to 0 or inf the neighbour is one ulp away
            const bool beside = found == std::numeric_limits<float>::denorm_min() ||
                                found == std::numeric_limits<float>::max();
            error = right ? 0 : beside ? 1 : std::numeric_limits<double>::infinity();
        } else {
            const float low = std::nextafter(rounded, 0.0f);
            const double ulp = static_cast<double>(rounded) - static_cast<double>(low);
            error = std::fabs(static_cast<double>(found) - exact) / ulp;
        }
        if (error > worst) worst = error, where = x;
    }
    std::printf("%.4f ulp at %a, of %llu floats\n", worst, static_cast<double>(where),
                static_cast<unsigned long long>(count));
}

}  // namespace

int main(int argc, char** argv) {
    const std::string command = argc > 1 ? argv[1] : "";
    if (command == "float32" && argc > 2) {
        measure_floats(std::strtoull(argv[2], nullptr, 10));
        return 0;
    }
    if (command != "exp" && command != "log") {
        std::fputs("usage: ulp float32 STRIDE | ulp exp | ulp log\n", stderr);
        return 2;
    }
    double x = 0;
    while (std::fread(&x, sizeof(x), 1, stdin) == 1) {
        x = command == "log" ? ne_torch::log_positive(x) : exponential<ne_torch::scalar::VecF64>(x);
        std::fwrite(&x, sizeof(x), 1, stdout);
    }
    return 0;
}
