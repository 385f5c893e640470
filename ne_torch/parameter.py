"""What a layer learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ne_torch.typing import Array, ArrayLike

__all__ = ["Parameter", "StatesOf"]


class Parameter:
    """An array that is learned, with the gradient of the last backward pass.

    The array stays the same object for life: ``step`` and optimizers update it in place.

    Attributes
    ----------
    grad : ndarray or None
        The gradient, overwritten by each backward pass; None before the first.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> parameter = nt.Parameter(np.zeros(2))
    >>> parameter.grad = np.array([1.0, -1.0])
    >>> nt.SGD([parameter], lr=0.5).step()
    >>> parameter.data.tolist()
    [-0.5, 0.5]
    """

    __slots__ = ("_data", "grad")

    def __init__(self, data: Array) -> None:
        self._data = data
        self.grad: Array | None = None

    @property
    def data(self) -> Array:
        """The values; an assignment copies into them."""
        return self._data

    @data.setter
    def data(self, value: ArrayLike) -> None:
        self._data[...] = value

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        shape: tuple[int, ...] = self.data.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the values."""
        return self.data.dtype

    @property
    def size(self) -> int:
        """The number of values."""
        return self.data.size

    def __repr__(self) -> str:
        return f"Parameter(shape={self.shape}, dtype={self.dtype})"


StatesOf = Callable[[Parameter], tuple[Any, ...]]  # the number of its group, and its states
