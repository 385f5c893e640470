"""Losses: a number to make small, and its gradient."""

from __future__ import annotations

from typing import Any

from ne_torch import _core
from ne_torch.typing import Array, ArrayLike

__all__ = ["MSELoss"]


class Loss:
    """Base of losses: a name in csrc/core/names.hpp, whose kernels do the work."""

    name: str

    def __init__(self) -> None:
        self._operands: tuple[ArrayLike, ArrayLike] | None = None

    def forward(self, prediction: ArrayLike, target: ArrayLike) -> float:
        """Return the loss.

        Parameters
        ----------
        prediction, target : array_like
            Of one shape and dtype: there is no broadcasting. Both are kept, not copied.

        Raises
        ------
        ValueError
            If the shapes differ.
        TypeError
            If the dtypes differ.
        """
        value = _core.loss_forward(self.name, prediction, target, type(self).__name__)
        self._operands = (prediction, target)
        return value

    def backward(self) -> Array:
        """Return the gradient with respect to the prediction.

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        """
        place = type(self).__name__
        if self._operands is None:
            raise RuntimeError(
                f"{place}: expected forward before backward; call forward(prediction, target) first"
            )
        return _core.loss_backward(self.name, *self._operands, None, place)

    def __call__(self, prediction: ArrayLike, target: ArrayLike) -> float:
        """Return ``forward(prediction, target)``."""
        return self.forward(prediction, target)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_operands": None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class MSELoss(Loss):
    """The mean squared error, ``1/N sum (prediction - target)^2`` over all N elements.

    Its gradient is ``2/N (prediction - target)``.

    The differences are rounded to the dtype, their squares summed in float64: the elements of a row in
    ascending order, then the rows. The mean over no elements is NaN.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> mse = nt.MSELoss()
    >>> mse(np.array([1.0, 2.0]), np.array([0.0, 0.0]))
    2.5
    >>> mse.backward().tolist()
    [1.0, 2.0]
    """

    name = "mse"
