"""Binary cross-entropy of logits."""

from __future__ import annotations

from ne_torch.losses.loss import Loss
from ne_torch.losses.options import Weights
from ne_torch.typing import ArrayLike

__all__ = ["BCEWithLogitsLoss"]


class BCEWithLogitsLoss(Loss):
    """The binary cross-entropy of logits, as torch.nn.BCEWithLogitsLoss, stable.

    With logit x and target t, usually 0 or 1, an element has
    ``w ((1 - t) x + (1 + (p - 1) t) log(1 + exp(-x)))``, w the weight and p the pos_weight of its class; the
    mean is over all N elements, unaffected by w. The gradient is
    ``w/N ((1 + (p - 1) t) sigmoid(x) - p t)``, without weights ``1/N (sigmoid(x) - t)``.

    Parameters
    ----------
    weight : array_like of shape (classes,) or number, optional
        The factor of each element of the last axis. (torch's weight of samples is ``sample_weight``.)
    reduction : {"mean", "sum", "none"}
    pos_weight : array_like of shape (classes,) or number, optional
        The factor of positive targets: above 1 it favours recall.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> loss = nt.BCEWithLogitsLoss(pos_weight=3.0)
    >>> round(loss(np.array([0.0, 0.0]), np.array([1.0, 0.0])), 6)
    1.386294
    >>> loss.backward().tolist()
    [-0.75, 0.25]
    """

    _kind = "bce_with_logits"
    weight = Weights("The factor of each class, or None.", one_for_all=True)
    pos_weight = Weights("The factor of positive targets of each class, or None.", one_for_all=True)

    def __init__(
        self,
        weight: ArrayLike | None = None,
        *,
        reduction: str = "mean",
        pos_weight: ArrayLike | None = None,
    ) -> None:
        super().__init__(reduction, weight=weight, pos_weight=pos_weight)
