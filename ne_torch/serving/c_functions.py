"""Activations and the elementary functions that they need, in C99: the kernels' formulas line by line.

See csrc/kernels/activations/ and csrc/kernels/elementary/; the constants are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from string import Template
from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch.serving.stages import Elementwise

__all__ = ["activation_stage", "c_number", "elementary_functions"]

# function: (the functions that it calls, its text)
_ELEMENTARY = {
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

# A product that ends a stage is written as fma(a, b, -0), which no compiler may contract with a later sum.
# activation: (the elementary functions that it calls, its value at v, $first and $second its two numbers)
_ACTIVATIONS = {
    "relu": ((), "0 > v ? 0 : v"),
    "leaky_relu": ((), "0 < v ? v : $fma($first, v, $minus_zero)"),
    "hardtanh": ((), "$second < ($first > v ? $first : v) ? $second : ($first > v ? $first : v)"),
    "elu": (("expm1",), "0 < v ? v : $fma($first, ${name}_expm1(v), $minus_zero)"),
    "selu": (
        ("expm1",),
        "$fma(0 < v ? $selu_positive : $selu_negative, 0 < v ? v : ${name}_expm1(v), $minus_zero)",
    ),
    "sigmoid": (("sigmoid",), "${name}_sigmoid(v)"),
    "tanh": (("tanh",), "${name}_tanh(v)"),
    "silu": (("sigmoid",), "$fma(v, ${name}_sigmoid(v), $minus_zero)"),
    "softplus": (
        ("softplus",),
        "$second < $first * v ? v : ${name}_softplus($fma($first, v, $minus_zero)) / $first",
    ),
    "gelu": (("erf",), "$fma($point_five * v, 1 + ${name}_erf(v * $root_half_value), $minus_zero)"),
    "gelu_tanh": (
        ("gelu_inner",),
        "$fma($point_five * v, 1 + ${name}_tanh(${name}_gelu_inner(v)), $minus_zero)",
    ),
    "softmax": (("exp",), ""),
    "log_softmax": (("exp", "log"), ""),
}

_STAGE = """
static inline void ${f}(const $T *x, $T *y) {
    for (int i = 0; i < $width; ++i) {
        const $T v = x[i];
        y[i] = $value;
    }
}
"""

_SOFTMAX = """
static inline void ${f}(const $T *x, $T *y) {
    $T highest = x[0], total = 0;
    for (int i = 1; i < $width; ++i) highest = highest > x[i] ? highest : x[i];
    for (int i = 0; i < $width; ++i) {
        y[i] = ${name}_exp(x[i] - highest);
        total = total + y[i];
    }
    for (int i = 0; i < $width; ++i) y[i] = y[i] / total;
}
"""

_LOG_SOFTMAX = """
static inline void ${f}(const $T *x, $T *y) {
    $T highest = x[0], total = 0;
    for (int i = 1; i < $width; ++i) highest = highest > x[i] ? highest : x[i];
    for (int i = 0; i < $width; ++i) total = total + ${name}_exp(x[i] - highest);
    const $T shift = ${name}_log(total);
    for (int i = 0; i < $width; ++i) y[i] = x[i] - highest - shift;
}
"""


def elementary_functions(activations: Iterable[str], common: dict[str, str], dtype: np.dtype[Any]) -> str:
    """Return the elementary functions that the activations call, and those that these call."""
    wanted = {function for activation in activations for function in _ACTIVATIONS[activation][0]}
    for function, (calls, _) in reversed(_ELEMENTARY.items()):  # callers stand behind what they call
        if function in wanted:
            wanted.update(calls)
    texts = [text for function, (_, text) in _ELEMENTARY.items() if function in wanted]
    return Template("".join(texts)).substitute(common, **_constants(dtype))


def activation_stage(stage: Elementwise, common: dict[str, str], dtype: np.dtype[Any]) -> str:
    """Return the function of an element-wise stage, or of softmax or its logarithm."""
    text = {"softmax": _SOFTMAX, "log_softmax": _LOG_SOFTMAX}.get(stage.name, _STAGE)
    text = text.replace("$value", _ACTIVATIONS[stage.name][1])
    numbers = dict(zip(("first", "second"), stage.numbers, strict=True))
    return Template(text).substitute(common, width=stage.width, **_constants(dtype, numbers))


def _constants(dtype: np.dtype[Any], more: dict[str, float] | None = None) -> dict[str, str]:
    """Return what the templates name, spelled in C: numbers, and the lengths of the polynomials."""
    scale, alpha = 1.0507009873554804934, 1.6732632423543772848  # as in kernels/activations/exponential.hpp
    constants: dict[str, Any] = {
        **_core.elementary_constants(dtype.name),
        "point_five": 0.5,
        "minus_zero": -0.0,
        "selu_positive": scale,
        "selu_negative": scale * alpha,
        "root_half_value": 0.70710678118654752440,
        "gelu_b": 0.79788456080286535588,
        "gelu_k": 0.044715,
        **(more or {}),
    }
    spelled = {}
    for name, value in constants.items():
        if isinstance(value, list):
            spelled[name] = ", ".join(c_number(dtype.type(one)) for one in value)
            spelled[f"{name}_length"] = str(len(value))
        else:
            spelled[name] = f"({c_number(dtype.type(value))})"
    return spelled


def c_number(value: Any) -> str:
    """Spell a number so that a C compiler reads it back to the bit."""
    if isinstance(value, np.integer):
        return str(value)
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "-INFINITY" if np.signbit(value) else "INFINITY"
    return f"{value!s}f" if value.dtype == np.float32 else repr(value.item())
