"""The mean squared error."""

from __future__ import annotations

from ne_torch.losses.loss import Loss

__all__ = ["MSELoss"]


class MSELoss(Loss):
    """The mean squared error, ``1/N sum (prediction - target)^2`` over all N elements.

    Its gradient is ``2/N (prediction - target)``.

    The differences are rounded to the dtype, their squares summed in float64: the elements of a row in
    ascending order, then the rows. The mean over no elements is NaN.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> mse = nt.MSELoss()
    >>> mse(np.array([1.0, 2.0]), np.array([0.0, 0.0]))
    2.5
    >>> mse.backward().tolist()
    [1.0, 2.0]
    >>> mse(np.array([[1.0], [2.0]]), np.zeros((2, 1)), sample_weight=[3.0, 1.0])
    1.75
    """

    _kind = "mse"

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
