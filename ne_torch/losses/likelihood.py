"""The likelihood of classes."""

from __future__ import annotations

from ne_torch.losses.loss import Loss
from ne_torch.losses.options import Index, Weights
from ne_torch.typing import ArrayLike

__all__ = ["NLLLoss"]


class NLLLoss(Loss):
    """The negative log-likelihood of classes, as torch.nn.NLLLoss: of a LogSoftmax's output.

    Log-probabilities x are of shape (..., classes), the classes on the last axis; the target, of shape (...),
    holds the class t of each sample as an integer. A sample has ``-w_t x_t``, the mean is
    ``sum_b l_b / sum_b w_t``; sample weights v make it ``sum_b v_b l_b / sum_b v_b w_t``. CrossEntropyLoss
    of logits is the same, and faster.

    Parameters
    ----------
    weight : array_like of shape (classes,), optional
        The weight w of each class.
    ignore_index : int, default -100
        A class that stands for none: such a sample has no loss and no gradient, and does not count. Where
        all are ignored the mean is NaN.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> loss = nt.NLLLoss()
    >>> loss(np.array([[-1.0, -2.0], [-3.0, -4.0]]), [0, 1])
    2.5
    >>> loss.backward().tolist()
    [[-0.5, 0.0], [0.0, -0.5]]
    """

    _kind = "nll"
    takes_classes = True
    weight = Weights("The weight of each class, or None.")
    ignore_index = Index("The class that stands for none.")

    def __init__(
        self, weight: ArrayLike | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction, weight=weight, ignore_index=ignore_index)
