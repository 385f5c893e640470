"""cos(x) without libm: the same learning rates on every machine."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["PI", "cosine"]

PI = 3.141592653589793  # math.pi

_BITS = 128
_ONE = 1 << _BITS
_PI = 0x3243F6A8885A308D313198A2E03707345  # pi 2^128, rounded


@lru_cache(maxsize=8)
def cosine(x: float) -> float:
    """Return the cosine of x, correctly rounded in all samples of the tests.

    In integers, scaled by 2**128: reduced by 2 pi, divided by 16, summed by Taylor's series, and doubled back
    by cos 2x = 2 cos^2 x - 1. For abs(x) below 1000 the error is below 2**-110, and no float is closer to a
    zero of the cosine than 2**-60.
    """
    numerator, denominator = abs(x).as_integer_ratio()
    angle = (numerator << _BITS) // denominator % (2 * _PI) >> 4
    square = angle * angle >> _BITS
    term = total = _ONE
    factor = 1
    while term:
        term = -((term * square >> _BITS) // (factor * (factor + 1)))
        total += term
        factor += 2
    for _ in range(4):
        total = (total * total >> (_BITS - 1)) - _ONE
    return total / _ONE
