"""Checks of arguments, and of numbers from files; arrays are checked in C++, where they are viewed."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

__all__ = ["float_dtype", "positive_integer", "step_count"]


def positive_integer(value: Any, place: str, name: str) -> int:
    """Return value as an int from 1 to 2**63 - 1; TypeError or ValueError otherwise."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{place}: expected {name} as a positive integer, got {value!r}") from None
    if isinstance(value, bool):
        raise TypeError(f"{place}: expected {name} as a positive integer, got {value!r}")
    if number < 1:
        raise ValueError(f"{place}: expected {name} as a positive integer, got {number}")
    if number >= 2**63:
        raise ValueError(f"{place}: expected {name} below 2**63, got {number}")
    return number


def step_count(value: Any, place: str, name: str = "steps", least: int = 0) -> int:
    """Return value if it is an int that counts steps; ValueError for any other, of whatever kind."""
    if type(value) is not int or not least <= value < 2**62:  # no training gets there
        raise ValueError(f"{place}: expected {name} as a number of steps, got {value!r}")
    return value


def float_dtype(dtype: Any, place: str) -> np.dtype[Any]:
    """Return the native dtype float32 or float64; TypeError for any other."""
    try:
        result: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError):  # NumPy parses some strings as Python
        raise TypeError(f'{place}: expected dtype "float32" or "float64", got {dtype!r}') from None
    if dtype is None or result.newbyteorder("=") not in (np.dtype("float32"), np.dtype("float64")):
        raise TypeError(f'{place}: expected dtype "float32" or "float64", got {dtype!r}')
    native: np.dtype[Any] = result.newbyteorder("=")
    return native
