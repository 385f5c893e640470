"""Batches of arrays, for training loops of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ne_torch import _core
from ne_torch._checks import positive_integer
from ne_torch.data.scaled import Scaled
from ne_torch.random import RandomLike, as_generator
from ne_torch.typing import Array, ArrayLike

__all__ = ["ArrayBatches", "batches"]


class ArrayBatches:
    """What ``batches`` returns: each iteration is an epoch; ``len`` is its number of batches.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> len(nt.data.batches(np.arange(5.0), batch_size=2))
    3
    """

    def __init__(
        self, arrays: tuple[Any, ...], batch_size: int, shuffle: bool, rng: RandomLike, drop_last: bool
    ) -> None:
        self._arrays, self._batch_size, self._shuffle = arrays, batch_size, shuffle
        self._generator, self._drop_last = as_generator(rng), drop_last

    def __len__(self) -> int:
        rows = len(self._arrays[0])
        return rows // self._batch_size if self._drop_last else -(-rows // self._batch_size)

    def __iter__(self) -> Iterator[Any]:
        order = self._generator.permutation(len(self._arrays[0])) if self._shuffle else None
        return self._parts(order)

    def _parts(self, order: Array | None) -> Iterator[Any]:
        for first in range(0, len(self) * self._batch_size, self._batch_size):
            part = slice(first, first + self._batch_size)
            parts = tuple(array[part if order is None else order[part]] for array in self._arrays)
            yield parts if len(parts) > 1 else parts[0]


def batches(
    *arrays: ArrayLike,
    batch_size: int = 64,
    shuffle: bool = True,
    rng: RandomLike = None,
    drop_last: bool = False,
) -> ArrayBatches:
    """Return the batches of arrays, to iterate over once an epoch.

    With the same ``rng``, the batches are those of ``Trainer.fit``, epoch by epoch.

    Parameters
    ----------
    *arrays : array_like
        x, and target and sample_weight as needed, with the same number of rows. Memory-mapped arrays and
        ``Scaled`` are read batch by batch. A batch of one array is that alone, others are tuples.
    batch_size : int, default 64
    shuffle : bool, default True
        Whether every iteration takes the rows in a new random order; otherwise batches are views.
    rng : int, Generator, numpy.random.Generator or None
        Where the orders come from.
    drop_last : bool, default False
        Leave out a last batch that is smaller.

    Raises
    ------
    ValueError, TypeError
        If the numbers of rows differ, or batch_size is no positive integer.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> x = np.arange(5.0)
    >>> [part.tolist() for part in nt.data.batches(x, batch_size=2, shuffle=False)]
    [[0.0, 1.0], [2.0, 3.0], [4.0]]
    >>> len(nt.data.batches(x, x, batch_size=2, drop_last=True))
    2
    """
    viewed = tuple(
        value if isinstance(value, Scaled) else _core.numpy_view(value, "batches", "arrays")
        for value in arrays
    )
    shapes = [array.shape for array in viewed]
    if () in shapes or len({shape[0] for shape in shapes}) != 1:
        told = " and ".join(map(str, shapes)) or "none"
        raise ValueError(f"batches: expected arrays with the same number of rows, got shapes {told}")
    size = positive_integer(batch_size, "batches", "batch_size")
    return ArrayBatches(viewed, size, bool(shuffle), rng, bool(drop_last))
