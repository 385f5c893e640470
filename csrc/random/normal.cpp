// Normal numbers by inversion: one uniform number gives one normal number, so that a draw's position is its
// index. Wichura, Algorithm AS 241: The percentage points of the normal distribution (Applied Statistics 37,
// 1988), PPND16, relative error about 1e-16, over this project's own logarithm.
#include <cmath>
#include <cstddef>

#include "random/draws.hpp"
#include "random/logarithm.hpp"

namespace ne_torch {
namespace {

// AS 241: numerator and denominator for the centre, |p - 1/2| <= 0.425, ...
const double kA[] = {2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
                     4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
                     1.3314166789178437745e+2, 3.3871328727963666080e+0};
const double kB[] = {
    5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
    5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0};
// ... for the tails with sqrt(-log p) <= 5, ...
const double kC[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                     1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
                     4.63033784615654529590e+0, 1.42343711074968357734e+0};
const double kD[] = {1.05075007164441684324e-9, 5.47593808499534494600e-4,
                     1.51986665636164571966e-2, 1.48103976427480074590e-1,
                     6.89767334985100004550e-1, 1.67638483018380384940e+0,
                     2.05319162663775882187e+0, 1.0};
// ... and for what is left.
const double kE[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                     2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
                     5.46378491116411436990e+0, 6.65790464350110377720e+0};
const double kF[] = {2.04426310338993978564e-15, 1.42151175831644588870e-7,
                     1.84631831751005468180e-5,  7.86869131145613259100e-4,
                     1.48753612908506148525e-2,  1.36929880922735805310e-1,
                     5.99832206555887937690e-1,  1.0};

}  // namespace

double normal_quantile(double p) {
    const double q = p - 0.5;
    if (std::fabs(q) <= 0.425) {
        const double r = std::fma(-q, q, 0.180625);
        return q * polynomial(kA, r) / polynomial(kB, r);
    }
    const double r = std::sqrt(-log_positive(q < 0 ? p : 1 - p));
    const double x = r <= 5 ? polynomial(kC, r - 1.6) / polynomial(kD, r - 1.6)
                            : polynomial(kE, r - 5.0) / polynomial(kF, r - 5.0);
    return q < 0 ? -x : x;
}

template <class T>
void fill_normal(RandomPosition from, double deviation, index_t n, T* values) {
    for (index_t i = 0; i < n; ++i) {
        const std::uint64_t bits = from.word(static_cast<std::uint64_t>(i)) >> 12;
        const double p = (static_cast<double>(bits) + 0.5) * 0x1p-52;
        values[i] = static_cast<T>(deviation * normal_quantile(p));
    }
}

template void fill_normal(RandomPosition, double, index_t, float*);
template void fill_normal(RandomPosition, double, index_t, double*);

}  // namespace ne_torch
