"""The mean absolute error."""

from __future__ import annotations

from ne_torch.losses.loss import Loss

__all__ = ["L1Loss"]


class L1Loss(Loss):
    """The mean absolute error, ``1/N sum |prediction - target|`` over all N elements, as torch.nn.L1Loss.

    Its gradient is ``1/N sign(prediction - target)``, with sign(0) = 0.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> loss = nt.L1Loss()
    >>> loss(np.array([1.0, -2.0]), np.zeros(2))
    1.5
    >>> loss.backward().tolist()
    [0.5, -0.5]
    """

    _kind = "l1"

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
