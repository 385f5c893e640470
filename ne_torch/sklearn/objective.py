"""What is made small: the loss of a batch with each sample's share in it, as scikit-learn defines it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ne_torch.typing import Array

__all__ = ["Data", "Objective", "batches_shares"]


@dataclass
class Objective:
    """A loss that is summed with weights.

    The gradient is that of ``factor * sum_b v_b loss_b``, with v the sample weights divided by their sum over
    the batch, and loss_b summed over the outputs; the reported value is that by ``divisor``.

    Attributes
    ----------
    loss : Loss
        With reduction "sum".
    factor : float
        1/2 makes the squared error the half of it.
    divisor : int
        The number of outputs where the mean over them is reported.
    """

    loss: Any
    factor: float = 1.0
    divisor: int = 1

    def shares(self, data: Data, order: Array | None, batch_size: int, dtype: Any) -> tuple[Array, Array]:
        """Return what ``batches_shares`` does, the shares as the loss takes them."""
        share, sums = batches_shares(data, order, batch_size)
        return (share * self.factor).astype(dtype), sums

    def value(self, prediction: Array, data: Data) -> float:
        """Return the mean loss over data, weighted, as it is reported."""
        share, _ = self.shares(data, None, len(data.target), prediction.dtype)
        total: float = self.loss._total(prediction, data.target, share)[0]
        return total / self.divisor + data.mean_offset(None, len(data.target))


@dataclass
class Data:
    """Rows (dense or CSR), targets as the loss takes them, sample weights or None.

    ``offset``: what a sample's loss has besides, that no parameter changes: the constant of a likelihood.
    """

    x: Any
    target: Array
    weight: Array | None
    offset: Array | None = None

    def mean_offset(self, order: Array | None, batch_size: int) -> float:
        """Return the mean over batches of the weighted means of offset, by rows."""
        if self.offset is None:
            return 0.0
        n = len(self.offset)
        share, _ = batches_shares(self, order, batch_size)
        place = np.empty(n, int)
        place[slice(None) if order is None else order] = np.arange(n)
        begin = place // batch_size * batch_size
        rows = np.minimum(begin + batch_size, n) - begin
        return float(np.sum(self.offset * share * rows) / n)


def batches_shares(data: Data, order: Array | None, batch_size: int) -> tuple[Array, Array]:
    """Return each sample's weight by the sum over its batch, in the samples' order; and those sums."""
    n = len(data.target)
    begins = np.arange(0, n, batch_size)
    sizes = np.full(len(begins), batch_size)
    sizes[-1] = n - begins[-1]
    if data.weight is None:
        last = slice(begins[-1], n)
        share = np.full(n, 1 / sizes[0])
        share[last if order is None else order[last]] = 1 / sizes[-1]
        return share, sizes.astype("float64")
    rows: Any = slice(None) if order is None else order
    weight = data.weight.astype("float64")[rows]
    sums = np.add.reduceat(weight, begins)
    share = np.empty(n)
    share[rows] = weight / np.repeat(sums, sizes)
    return share, sums
