"""The elementary functions of the C export, operation by operation those of csrc/kernels."""

from __future__ import annotations

__all__ = ["ELEMENTARY"]

# function: (the functions that it calls, its text)
ELEMENTARY = {
    "exp_parts": (
        (),
        """
/* 2^n for an integral n in the range of normal numbers */
static inline $T ${name}_power_of_two($T n) {
    union { $bits bits; $T value; } result;
    result.bits = ($bits)((int32_t)(n == n ? n : 0) + $bias) << $mantissa;
    return result.value;
}

/* exp(x) = 2^n (1 + p), n = round(x / ln 2), p by the Taylor polynomial; returns p, and n in two halves */
static inline $T ${name}_exp_parts($T x, $T *half, $T *other) {
    static const $T factor[] = {$exp_factors};
    const $T shift = $round_shift;
    x = $highest < x ? $highest : x;
    x = $lowest > x ? $lowest : x;
    const $T n = $fma(x, $log2_e, shift) - shift;
    const $T minus_n = 0 - n;
    const $T r = $fma(minus_n, $ln2_low, $fma(minus_n, $ln2_high, x));
    $T q = factor[0];
    for (int i = 1; i < $exp_factors_length; ++i) q = $fma(q, r, factor[i]);
    *half = $fma(n, $point_five, shift) - shift;
    *other = n - *half;
    const $T rr = r * r;
    return $fma(rr, q, r);
}
""",
    ),
    "exp": (
        ("exp_parts",),
        """
static inline $T ${name}_exp($T x) {
    $T half, other;
    const $T p = 1 + ${name}_exp_parts(x, &half, &other);
    return p * ${name}_power_of_two(half) * ${name}_power_of_two(other);
}
""",
    ),
    "expm1": (
        ("exp_parts",),
        """
static inline $T ${name}_expm1($T x) {
    $T half, other;
    const $T p = ${name}_exp_parts(x, &half, &other);
    const $T a = ${name}_power_of_two(half), b = ${name}_power_of_two(other);
    return $copysign($fma(a, p, a - ${name}_power_of_two(0 - other)) * b, x);
}
""",
    ),
    "log_parts": (
        ("exp_parts",),
        """
/* x = mantissa 2^k, sqrt(1/2) <= mantissa < sqrt(2), for a normal x > 0; returns k */
static inline $T ${name}_split($T x, $T *mantissa) {
    const $bits one = ($bits)$bias << $mantissa, root_half = $root_half;
    union { $T value; $bits bits; } u;
    u.value = x;
    u.bits += one - root_half;
    const $T k = ($T)(u.bits >> $mantissa) - $bias;
    u.bits = (u.bits & ((($bits)1 << $mantissa) - 1)) + root_half;
    *mantissa = u.value;
    return k;
}

/* k ln 2 + log(1 + f) */
static inline $T ${name}_log_of_parts($T k, $T f) {
    static const $T factor[] = {$log_factors};
    const $T s = f / (2 + f);
    const $T z = s * s;
    $T r = factor[0];
    for (int i = 1; i < $log_factors_length; ++i) r = $fma(r, z, factor[i]);
    const $T half_f = $point_five * f;
    const $T rz = r * z, k_low = k * $ln2_low;
    const $T tail = $fma(s, $fma(half_f, f, rz), k_low);
    return $fma(k, $ln2_high, f + $fma(0 - half_f, f, tail));
}

static inline $T ${name}_log_or_special($T x, $T start, $T result) {
    if (x != x) return x;
    if (x <= start) return x < start ? ($T)NAN : -($T)INFINITY;
    return x < ($T)INFINITY ? result : x;
}
""",
    ),
    "log": (
        ("log_parts",),
        """
static inline $T ${name}_log($T x) {
    $T mantissa;
    const int small = x < $least_normal;
    $T k = ${name}_split(small ? x * $subnormal_scale : x, &mantissa);
    k = k - (small ? $subnormal_exponent : 0);
    return ${name}_log_or_special(x, 0, ${name}_log_of_parts(k, mantissa - 1));
}
""",
    ),
    "log1p": (
        ("log_parts",),
        """
static inline $T ${name}_log1p($T x) {
    $T mantissa;
    const $T u = 1 + x;
    const $T part = u - 1;
    const $T lost = (1 - (u - part)) + (x - part);
    const $T k = ${name}_split(u, &mantissa);
    const $T exponent = k < $no_correction ? k : $no_correction;
    const $T f = $fma(lost, ${name}_power_of_two(0 - exponent), mantissa - 1);
    return $copysign(${name}_log_or_special(x, -1, ${name}_log_of_parts(k, f)), x);
}
""",
    ),
    "softplus": (
        ("exp", "log1p"),
        """
static inline $T ${name}_softplus($T t) {
    const $T smooth = ${name}_log1p(${name}_exp(-$fabs(t)));
    return (0 > t ? 0 : t) + smooth;
}
""",
    ),
    "tanh": (
        ("exp_parts",),
        """
static inline $T ${name}_tanh($T x) {
    static const $T factor[] = {$tanh_factors};
    const $T shift = $round_shift;
    $T y = $tanh_highest < x ? $tanh_highest : x;
    y = -$tanh_highest > y ? -$tanh_highest : y;
    const $T n = $fma(y, $two_log2_e, shift) - shift;
    const $T r = $fma(n, -$half_ln2_low, $fma(n, -$half_ln2_high, y));
    const $T z = r * r;
    $T p = factor[0];
    for (int i = 1; i < $tanh_factors_length; ++i) p = $fma(p, z, factor[i]);
    const $T rz = r * z;
    const $T t = $fma(rz, p, r);
    const $T s = ${name}_power_of_two(n);
    const $T less = s - 1, more = s + 1;
    return $copysign($fma(more, t, less) / $fma(less, t, more), x);
}
""",
    ),
    "gelu_inner": (
        ("tanh",),
        """
static inline $T ${name}_gelu_inner($T v) {
    const $T cube = $gelu_k * v * v;
    return $gelu_b * $fma(cube, v, v);
}
""",
    ),
    "sigmoid": (
        ("exp",),
        """
static inline $T ${name}_sigmoid($T x) {
    const $T e = ${name}_exp(-$fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}
""",
    ),
    "erf": (
        ("exp",),
        """
static inline $T ${name}_erf($T x) {
    static const $T near_factor[] = {$erf_near}, far_factor[] = {$erf_far};
    const $T size = $fabs(x);
    const $T a = $erf_highest < size ? $erf_highest : size;
    const $T aa = a * a;
    $T p = near_factor[0], q = far_factor[0];
    for (int i = 1; i < $erf_near_length; ++i) p = $fma(p, aa, near_factor[i]);
    for (int i = 1; i < $erf_far_length; ++i) q = $fma(q, a, far_factor[i]);
    const $T far = 1 - ${name}_exp(0 - q);
    return $copysign(a < 1 ? $fma(a, p, a) : far, x);
}
""",
    ),
}
