"""Activations and the elementary functions that they need, in C99: the kernels' formulas line by line.

See csrc/kernels/activations/ and csrc/kernels/elementary/; the constants are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from string import Template
from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch.serving.c_elementary import ELEMENTARY
from ne_torch.serving.c_numbers import c_number
from ne_torch.serving.stages import Elementwise

__all__ = ["activation_stage", "elementary_functions"]

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
    for function, (calls, _) in reversed(ELEMENTARY.items()):  # callers stand behind what they call
        if function in wanted:
            wanted.update(calls)
    texts = [text for function, (_, text) in ELEMENTARY.items() if function in wanted]
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
