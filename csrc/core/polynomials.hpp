// Coefficients of tanh and erf, see kernels/elementary/: kernels compute with them, and exported programs are
// given them. From the highest power down. Each polynomial has the least maximum of its relative error (by
// Remez's exchange in 60 digits, then rounded); the maximum stands beside it. Arrays of this
// namespace, not members: a member would be a weak symbol of the files with instruction-set flags.
#pragma once

namespace ne_torch {

// p of tanh(r) = r + r z p(z), z = r^2, |r| <= ln(2) / 4
static constexpr float kTanhSingle[] = {-0x1.aff21ap-5f, 0x1.1105d0p-3f, -0x1.55554ep-2f};  // 1.6e-10
static constexpr double kTanhWide[] = {0x1.c3873eef8fa9dp-9, -0x1.223c873efc8fdp-7,
                                       0x1.664eca2874d9cp-6, -0x1.ba1ba117600e7p-5,
                                       0x1.11111110e0da5p-3, -0x1.55555555554bdp-2};  // 4.1e-18

template <class T>
struct TanhConstants;

// p and q of erf(x) = x + x p(x^2) for |x| < 1, 1 - exp(-q(|x|)) from there on
static constexpr float kErfNearSingle[] = {0x1.496a18p-14f, -0x1.a3f6fap-11f, 0x1.5405b2p-8f, -0x1.b7f90ep-6f,
                                           0x1.ce2cf8p-4f,  -0x1.81273ep-2f,  0x1.06eba8p-3f};  // 1.3e-9
static constexpr double kErfNearWide[] = {
    0x1.0579a69d4bb26p-34, -0x1.386abe81bc097p-30, 0x1.f7a4112daf135p-27, -0x1.5f1d36a3432d6p-23,
    0x1.b9def1995c1e6p-20, -0x1.f4d1df38db4aep-17, 0x1.f9a321a116d34p-14, -0x1.c02db3d8ecdbep-11,
    0x1.565bcd0db02c7p-8,  -0x1.b82ce3128499cp-6,  0x1.ce2f21a042b20p-4,  -0x1.812746b0379e6p-2,
    0x1.06eba8214db69p-3};  // 1.3e-19
static constexpr float kErfFarSingle[] = {
    -0x1.86db7cp-13f, 0x1.8259cap-9f, -0x1.65cae4p-6f, 0x1.a652f8p-4f,
    0x1.46baf6p-1f,   0x1.2088e8p+0f, 0x1.662996p-12f};  // 1.1e-9 of erf
static constexpr double kErfFarWide[] = {
    0x1.5ad4684314371p-38,  -0x1.c1b3ee997f140p-33, 0x1.0e5dd41680b10p-28,  -0x1.8ec74cbd6a460p-25,
    0x1.90d6f8b105375p-22,  -0x1.1ea6ec97e4b6bp-19, 0x1.22d4158fb2becp-17,  -0x1.7ee8b53030f10p-16,
    0x1.540bd7b1c1567p-16,  0x1.1b36ccff1508bp-13,  -0x1.9409442a10780p-11, 0x1.f64058ae8bf84p-10,
    -0x1.ae917af775a95p-12, -0x1.372299b7159fbp-6,  0x1.a4ac5d2c0dda1p-4,   0x1.45f6274dac1d6p-1,
    0x1.20dd1fd494807p+0,   0x1.0df53a044adc1p-21};  // 6.8e-18 of erf

template <class T>
struct ErfConstants;

template <>
struct TanhConstants<float> {
    static constexpr float two_log2_e = 0x1.715476p+1f;
    static constexpr float half_ln2_high = 0x1.62e430p-2f;
    static constexpr float half_ln2_low = -0x1.05c610p-30f;
    static constexpr float highest = 10;  // tanh is 1 above
};

template <>
struct TanhConstants<double> {
    static constexpr double two_log2_e = 0x1.71547652b82fep+1;
    static constexpr double half_ln2_high = 0x1.62e42fefa39efp-2;
    static constexpr double half_ln2_low = 0x1.abc9e3b39803fp-57;
    static constexpr double highest = 20;
};

template <>
struct ErfConstants<float> {
    static constexpr float highest = 4;  // erf is 1 above
};

template <>
struct ErfConstants<double> {
    static constexpr double highest = 6;
};

}  // namespace ne_torch
