"""A predictor as one C99 header: its weights, and a function of one row that gives the predictor's bits.

Each stage is a function written out with its own constants. A block of outputs is computed at once, each by
the one chain of fused multiply-adds that defines it, so that a compiler can lay the block along its vectors.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template

import numpy as np

from ne_torch import _core
from ne_torch._files import write_atomically
from ne_torch.serving.c_functions import activation_stage, elementary_functions
from ne_torch.serving.c_lookup import lookup_stage, lookup_words
from ne_torch.serving.c_numbers import c_number, c_numbers, c_vectors
from ne_torch.serving.quantize import from_bfloat16
from ne_torch.serving.stages import (
    Dense,
    Elementwise,
    Lookup,
    Normalize,
    ScaleShift,
    Skip,
    Stage,
    unpack,
    widths,
)

__all__ = ["export_c"]

_HEADER = Template("""\
/* ${name}_predict(x, y): ${description}.
 *
 * x has $in_features elements of type $T, y gets $out_features; they must not overlap. Nothing is
 * allocated, nothing is kept between calls. The result is that of ne_torch $version to the bit at every
 * optimisation, as long as the compiler keeps to IEEE 754 (no -ffast-math). It is fast where there is a fused
 * multiply-add in hardware (-O3 -march=native, or -mfma; every AArch64); elsewhere fma comes from libm.$codes
 */
#ifndef ${NAME}_H
#define ${NAME}_H

#include <float.h>
#include <math.h>
#include <stdint.h>

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "${name}: expected FLT_EVAL_METHOD 0: float and double computed in their own precision"
#endif

#define ${NAME}_IN_FEATURES $in_features
#define ${NAME}_OUT_FEATURES $out_features
$stages
static inline void ${name}_predict(const $T *x, $T *y) {
$calls
}

#endif /* ${NAME}_H */
""")

_DENSE = Template("""
/* $in_features -> $out_features: w[block][k][output] in blocks of $block outputs */
static const $stored ${f}_w[$size] = {
$weights
};
$vectors
static inline void ${f}(const $T *x, $T *y) {
    const $stored *w = ${f}_w;
    for (int first = 0; first < $out_features; first += $block) {
        $T sum[$block] = {0};
        for (int k = 0; k < $in_features; ++k, w += $block) {
            for (int i = 0; i < $block; ++i) sum[i] = $fma(x[k], w[i], sum[i]);
        }
        for (int i = 0; i < $block && first + i < $out_features; ++i) {
            const $T value = $finish;
            y[first + i] = $activate;
        }
    }
}
""")

_LAYER_NORM = Template("""$vectors
static inline void ${f}(const $T *x, $T *y) {
    $T mean = 0, square = 0;
    for (int i = 0; i < $width; ++i) mean = mean + x[i];
    mean = mean / $width;
    for (int i = 0; i < $width; ++i) {
        const $T d = x[i] - mean;
        square = $fma(d, d, square);
    }
    const $T variance = square / $width;
    const $T rstd = 1 / $sqrt(variance + $eps);
    for (int i = 0; i < $width; ++i) {
        const $T d = x[i] - mean;
        const $T h = $fma(d, rstd, $minus_zero);
        y[i] = $finish;
    }
}
""")

_SCALE_SHIFT = Template("""$vectors
static inline void ${f}(const $T *x, $T *y) {
    for (int i = 0; i < $width; ++i) y[i] = $fma(x[i], ${f}_s[i], ${f}_b[i]);
}
""")

_ADD = Template("""
static inline void ${f}(const $T *kept, const $T *x, $T *y) {
    for (int i = 0; i < $width; ++i) y[i] = kept[i] + x[i];
}
""")

_TYPES = {
    "float32": {
        "T": "float",
        "fma": "fmaf",
        "sqrt": "sqrtf",
        "fabs": "fabsf",
        "copysign": "copysignf",
        "bits": "uint32_t",
        "bias": "127",
        "mantissa": "23",
        "root_half": "0x3f3504f3u",
    },
    "float64": {
        "T": "double",
        "fma": "fma",
        "sqrt": "sqrt",
        "fabs": "fabs",
        "copysign": "copysign",
        "bits": "uint64_t",
        "bias": "1023",
        "mantissa": "52",
        "root_half": "0x3fe6a09e667f3bccull",
    },
}


def export_c(stages: Sequence[Stage], dtype: str, path: str | os.PathLike[str], name: str | None) -> None:
    """Write the stages of a predictor as a C header, all of it or nothing."""
    name = re.sub(r"\W", "_", Path(path).stem, flags=re.ASCII) if name is None else name
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"export_c: expected a name that is an identifier of C, got {name!r}; pass name=...")
    common = {**_TYPES[dtype], "name": name, "NAME": name.upper()}
    functions = [f"{name}_stage{i}" for i in range(len(stages))]
    texts = [
        _stage(stage, {**common, "f": f}, np.dtype(dtype)) for stage, f in zip(stages, functions, strict=True)
    ]
    names = [stage.name for stage in stages if isinstance(stage, Elementwise)]
    texts.insert(0, elementary_functions(names, common, np.dtype(dtype)))
    text = _HEADER.substitute(
        common,
        description=" -> ".join([str(widths(stages[0])[0]), *map(_words, stages)]),
        version=_core.__version__,
        in_features=widths(stages[0])[0],
        out_features=widths(stages[-1])[1],
        codes=lookup_words(stages[0]) if isinstance(stages[0], Lookup) else "",
        stages="".join(texts),
        calls=_calls(stages, functions, common["T"]),
    )
    write_atomically(path, text.encode())


def _words(stage: Stage) -> str:
    if isinstance(stage, Dense):
        return f"{stage.out_features}" + f" {stage.activation}" * (stage.activation != "identity")
    words = stage.name.replace("_", " ")
    return f"{stage.out_features} {words}" if isinstance(stage, Lookup) else words


def _calls(stages: Sequence[Stage], functions: list[str], scalar: str) -> str:
    lines, source, kept = [], "x", {}
    for i, (stage, function) in enumerate(zip(stages, functions, strict=True)):
        if isinstance(stage, Skip) and stage.name == "keep":
            kept[stage.slot] = source
            continue
        taken = f"{kept[stage.slot]}, {source}" if isinstance(stage, Skip) else source
        given = "y" if i + 1 == len(stages) else f"h{i}"
        if given != "y":
            lines.append(f"    {scalar} {given}[{widths(stage)[1]}];")
        lines.append(f"    {function}({taken}, {given});")
        source = given
    return "\n".join(lines)


def _stage(stage: Stage, common: dict[str, str], dtype: np.dtype[np.floating]) -> str:
    if isinstance(stage, Skip):
        return "" if stage.name == "keep" else _ADD.substitute(common, width=stage.width)
    if isinstance(stage, ScaleShift):
        vectors = "\n" + c_vectors(common, s=stage.scale, b=stage.shift)
        return _SCALE_SHIFT.substitute(common, width=stage.width, vectors=vectors)
    if isinstance(stage, Normalize):
        return _layer_norm(stage, common, dtype)
    if isinstance(stage, Lookup):
        return lookup_stage(stage, common)
    if not isinstance(stage, Dense):
        return activation_stage(stage, common, dtype)
    weight = unpack(stage, dtype)
    if weight.dtype == np.uint16:
        weight = from_bfloat16(weight)
    block = _block(stage.out_features)
    blocks = -(-stage.out_features // block)
    padded = np.zeros((blocks * block, stage.in_features), weight.dtype)
    padded[: stage.out_features] = weight
    panels = padded.reshape(blocks, block, -1).transpose(0, 2, 1).ravel()
    finish = "sum[i]"
    at = {letter: f"{common['f']}_{letter}[first + i]" for letter in "bs"}
    if stage.scale is not None:
        finish = f"sum[i] * {at['s']}"
        if stage.bias is not None:
            finish = f"{common['fma']}(sum[i], {at['s']}, {at['b']})"
    elif stage.bias is not None:
        finish = f"sum[i] + {at['b']}"
    return _DENSE.substitute(
        common,
        in_features=stage.in_features,
        out_features=stage.out_features,
        block=block,
        size=panels.size,
        stored="signed char" if weight.dtype == np.int8 else common["T"],
        weights=c_numbers(panels),
        vectors=c_vectors(common, b=stage.bias, s=stage.scale),
        finish=finish,
        activate="0 > value ? 0 : value" if stage.activation == "relu" else "value",
    )


def _layer_norm(stage: Normalize, common: dict[str, str], dtype: np.dtype[np.floating]) -> str:
    weight, bias = f"{common['f']}_w[i]", f"{common['f']}_b[i]"
    minus_zero = c_number(dtype.type(-0.0))  # a product that no compiler may contract with a later sum
    finish = "h"
    if stage.weight is not None:
        finish = f"{common['fma']}(h, {weight}, {minus_zero if stage.bias is None else bias})"
    return _LAYER_NORM.substitute(
        common,
        width=stage.width,
        eps=c_number(dtype.type(stage.eps)),
        minus_zero=minus_zero,
        vectors="\n" + c_vectors(common, w=stage.weight, b=stage.bias),
        finish=finish,
    )


def _block(outputs: int) -> int:
    """Return a multiple of 8 outputs, at most 64: with the least padding, and of those the widest."""
    return min(range(64, 0, -8), key=lambda block: -(-outputs // block) * block)
