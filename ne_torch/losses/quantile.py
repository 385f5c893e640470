"""The quantile loss."""

from __future__ import annotations

from ne_torch.losses.loss import Loss
from ne_torch.losses.options import Number

__all__ = ["QuantileLoss"]


class QuantileLoss(Loss):
    """The quantile or pinball loss (Koenker and Bassett 1978): smallest at a quantile of the target.

    With d = prediction - target an element has ``(1 - quantile) d`` where d > 0, else ``-quantile d``; the
    mean is over all elements. Its gradient is ``1 - quantile`` where d > 0, ``-quantile`` where d < 0 and 0
    where d = 0, by the number of elements. With quantile 0.5 it is half of L1Loss. torch has no such loss.

    Parameters
    ----------
    quantile : float, default 0.5
        Between 0 and 1, without them.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> loss = nt.QuantileLoss(0.75, reduction="sum")
    >>> loss(np.array([1.0, -2.0]), np.zeros(2))
    1.75
    >>> loss.backward().tolist()
    [0.25, -0.75]
    """

    _kind = "quantile"
    quantile = Number("The quantile where the loss is smallest.", 0.0, 1.0, open_ends=True)

    def __init__(self, quantile: float = 0.5, *, reduction: str = "mean") -> None:
        super().__init__(reduction, quantile=quantile)
