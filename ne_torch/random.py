"""Random numbers: Philox 4x32-10, a pure function of seed and position.

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
The same seed gives the same numbers on every platform, instruction set, number of threads and NumPy.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ne_torch import _core
from ne_torch._checks import float_dtype, positive_integer
from ne_torch.typing import Array

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Generator", "RandomLike", "as_generator", "manual_seed"]


class Generator:
    """A stream of random numbers; what has been drawn is told by one number, ``position``.

    Parameters
    ----------
    seed : int
        From 0 to 2**64 - 1.
    position : int, optional
        The first 128-bit block that has not been used.

    Examples
    --------
    >>> import ne_torch as nt
    >>> a, b = nt.Generator(7), nt.Generator(7)
    >>> bool((a.permutation(100) == b.permutation(100)).all())
    True
    """

    def __init__(self, seed: int, position: int = 0) -> None:
        self.seed = _word(seed, "seed")
        self.position = _word(position, "position")

    def normal(self, shape: Sequence[int], deviation: float = 1.0, dtype: str = "float64") -> Array:
        """Draw normal numbers of mean 0, by inversion in float64, rounded to dtype."""
        place = "Generator.normal"
        lengths = [_length(length, place, "shape") for length in shape]
        deviation = _core.finite_number(deviation, place, "deviation")
        dtype = float_dtype(dtype, place).name
        values = _core.random_normal(self.seed, self.position, deviation, lengths, dtype)
        self._advance(values.size)
        return values

    def uniform(
        self, shape: Sequence[int], low: float = 0.0, high: float = 1.0, dtype: str = "float64"
    ) -> Array:
        """Draw numbers that are uniform in [low, high).

        Each is ``fma(u, high - low, low)`` in float64, rounded to dtype; u in [0, 1) is a multiple of 2**-53,
        of 2**-24 for float32; where low is not 0 that rounding may give high itself.

        Raises
        ------
        ValueError
            If low is above high, or their difference is infinite.
        """
        place = "Generator.uniform"
        lengths = [_length(length, place, "shape") for length in shape]
        low = _core.finite_number(low, place, "low")
        high = _core.finite_number(high, place, "high")
        _core.finite_number(high - low, place, "high - low")
        if low > high:
            raise ValueError(f"{place}: expected low <= high, got low={low} and high={high}")
        dtype = float_dtype(dtype, place).name
        values = _core.random_uniform(self.seed, self.position, low, high, lengths, dtype)
        self._advance(values.size)
        return values

    def permutation(self, n: int) -> Array:
        """Draw a permutation of 0 .. n - 1 (int64), by Fisher and Yates."""
        n = _length(n, "Generator.permutation", "n")
        values = _core.random_permutation(self.seed, self.position, n)
        self._advance(n)
        return values

    def word(self) -> int:
        """Draw an integer from 0 to 2**64 - 1, such as the seed of another stream."""
        block = [self.position % 2**32, self.position // 2**32, 0, 0]
        words = _core.philox4x32(block, self.seed % 2**32, self.seed // 2**32)
        self._advance(1)
        return words[0] << 32 | words[1]

    def _advance(self, words: int) -> None:
        self.position = (self.position + (words + 1) // 2) % 2**64

    def __repr__(self) -> str:
        return f"Generator(seed={self.seed}, position={self.position})"


RandomLike: TypeAlias = "int | Generator | np.random.Generator | None"


def _length(value: Any, place: str, name: str) -> int:
    return 0 if value is not False and value == 0 else positive_integer(value, place, name)


def _word(value: Any, name: str) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"Generator: expected {name} as an integer, got {value!r}") from None
    if not 0 <= number < 2**64:
        raise ValueError(f"Generator: expected {name} from 0 to 2**64 - 1, got {number}")
    return number


_default = Generator(int.from_bytes(os.urandom(8), "little"))


def manual_seed(seed: int) -> Generator:
    """Restart the generator that is used where no ``rng`` is given, and return it.

    Examples
    --------
    >>> import ne_torch as nt
    >>> generator = nt.manual_seed(0)
    >>> bool((nt.Linear(3, 2).weight == nt.Linear(3, 2, rng=0).weight).all())
    True
    """
    _default.seed, _default.position = _word(seed, "seed"), 0
    return _default


def as_generator(rng: RandomLike) -> Generator:
    """Return a Generator for what a user may pass as ``rng``.

    Parameters
    ----------
    rng : int, Generator, numpy.random.Generator or None
        A seed; a stream to draw on; a NumPy stream, which gives a seed; None for the default stream.
    """
    if rng is None:
        return _default
    if isinstance(rng, Generator):
        return rng
    if hasattr(
        rng, "integers"
    ):  # a NumPy stream; asking for its class would import numpy.random for everybody
        return Generator(int(rng.integers(2**64, dtype="uint64")))
    try:
        return Generator(rng)
    except TypeError:
        raise TypeError(f"expected rng as an integer, a Generator or None, got {rng!r}") from None
