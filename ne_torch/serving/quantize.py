"""Reduced weights: fewer bytes a weight, the same float32 arithmetic.

A kernel widens a weight exactly (a bfloat16 is the upper half of a float32, an int8 an integer) and goes on
as ever, so a reduced model too gives the same bits everywhere; what is lost is lost once, here.
"""

from __future__ import annotations

import numpy as np

from ne_torch.typing import Array

__all__ = ["FORMATS", "from_bfloat16", "to_bfloat16", "to_int8"]

FORMATS = ("same", "bfloat16", "int8")


def to_bfloat16(weight: Array) -> Array:
    """Round float32 to bfloat16, to nearest and ties to even; return its 16 bits as uint16."""
    bits = np.ascontiguousarray(weight, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    quiet_nan = (bits >> 16) | 0x40  # adding could carry a NaN into infinity, or over into zero
    return np.where(np.isnan(weight), quiet_nan, rounded).astype(np.uint16)


def from_bfloat16(bits: Array) -> Array:
    """Return the float32 values of bfloat16's bits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def to_int8(weight: Array) -> tuple[Array, Array]:
    """Return weights as integers of -127 to 127 and, for each row, the scale that they are multiples of.

    ``weight[o, k] ~ scale[o] * integer[o, k]`` with ``scale[o] = max over k of |weight[o, k]| / 127``.

    Raises
    ------
    ValueError
        If a weight is not finite: no scale has it for a multiple.
    """
    if not np.isfinite(weight).all():
        raise ValueError("freeze: expected finite weights for weights='int8', got some that are not")
    scale = (np.abs(weight).max(axis=1) / np.float32(127)).astype(np.float32)
    divisor = np.where(scale > 0, scale, np.float32(1))  # a row of zeros, or so small that its scale is 0
    integers = np.clip(np.rint(weight / divisor[:, None]), -127, 127)
    return integers.astype(np.int8), scale
