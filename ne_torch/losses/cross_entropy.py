"""Cross-entropy of logits."""

from __future__ import annotations

from ne_torch.losses.loss import Loss
from ne_torch.losses.options import Index, Number, Weights
from ne_torch.typing import ArrayLike

__all__ = ["CrossEntropyLoss"]


class CrossEntropyLoss(Loss):
    """The cross-entropy of logits, as torch.nn.CrossEntropyLoss: softmax and logarithm in one, stable.

    Logits x are of shape (..., classes), the classes on the last axis. The target is of shape (...), the
    class t of each sample as an integer; or of the logits' shape and dtype, probabilities q. A sample has
    ``-sum_c w_c q_c log softmax(x)_c``, which is ``-w_t log softmax(x)_t`` for a class. With label smoothing
    e, q is ``(1 - e) q + e / classes`` first. The mean of samples with classes is weighted,
    ``sum_b l_b / sum_b w_t``; that of samples with probabilities is not. Sample weights v make it
    ``sum_b v_b l_b / sum_b v_b w_t``. The gradient is ``softmax(x) - q``, weighted likewise.

    Parameters
    ----------
    weight : array_like of shape (classes,), optional
        The weight w of each class.
    ignore_index : int, default -100
        A class that stands for none: such a sample has no loss and no gradient, and does not count. Where
        all are ignored the mean is NaN.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float, default 0
        How much of each target is spread over all classes (Szegedy et al. 2016), from 0 to 1.

    Notes
    -----
    The gradient of an ignored sample is 0 even where a logit is NaN; torch gives NaN.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> loss = nt.CrossEntropyLoss()
    >>> logits = np.log([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]])
    >>> round(loss(logits, np.array([0, 1])), 6)
    1.039721
    >>> loss.backward().round(6).tolist()
    [[-0.25, 0.125, 0.125], [0.125, -0.375, 0.25]]
    """

    _kind = "cross_entropy"
    takes_classes = True
    weight = Weights("The weight of each class, or None.")
    ignore_index = Index("The class that stands for none.")
    label_smoothing = Number("How much of each target is spread over all classes.", 0.0, 1.0)

    def __init__(
        self,
        weight: ArrayLike | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction, weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing)
