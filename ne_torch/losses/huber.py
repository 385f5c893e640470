"""Losses that are quadratic near the target and linear far from it."""

from __future__ import annotations

from ne_torch.losses.loss import Loss
from ne_torch.losses.options import Number

__all__ = ["HuberLoss", "SmoothL1Loss"]


class HuberLoss(Loss):
    """Huber's loss, as torch.nn.HuberLoss (Huber 1964), with d = prediction - target.

    Of an element ``d^2 / 2`` where ``|d| < delta``, else ``delta (|d| - delta / 2)``; the mean is over all
    elements. Its gradient is d, clamped to [-delta, delta], by the number of elements.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    delta : float, default 1
        Where the quadratic part ends; above 0.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> loss = nt.HuberLoss(delta=2.0, reduction="sum")
    >>> loss(np.array([1.0, 5.0]), np.zeros(2))
    8.5
    >>> loss.backward().tolist()
    [1.0, 2.0]
    """

    _kind = "huber"
    delta = Number("Where the quadratic part ends.", open_ends=True)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction, delta=delta)


class SmoothL1Loss(Loss):
    """The smooth absolute error, as torch.nn.SmoothL1Loss (Girshick 2015), with d = prediction - target.

    Of an element ``d^2 / (2 beta)`` where ``|d| < beta``, else ``|d| - beta / 2``; the mean is over all
    elements. Its gradient is d / beta, clamped to [-1, 1], by the number of elements. With beta 0 it is
    L1Loss, bit for bit.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    beta : float, default 1
        Where the quadratic part ends; not negative.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> loss = nt.SmoothL1Loss(beta=2.0, reduction="sum")
    >>> loss(np.array([1.0, 5.0]), np.zeros(2))
    4.25
    >>> loss.backward().tolist()
    [0.5, 1.0]
    """

    _kind = "smooth_l1"
    beta = Number("Where the quadratic part ends.")

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction, beta=beta)
