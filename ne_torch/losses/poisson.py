"""The likelihood of counts."""

from __future__ import annotations

from ne_torch.losses.loss import Loss
from ne_torch.losses.options import Flag, Number

__all__ = ["PoissonNLLLoss"]


class PoissonNLLLoss(Loss):
    """The negative log-likelihood of counts t of a Poisson distribution, as torch.nn.PoissonNLLLoss.

    An element has ``exp(x) - t x``, x the logarithm of the rate; or ``x - t log(x + eps)``, x the rate, where
    log_input is false. The mean is over all N elements. The gradient is ``1/N (exp(x) - t)``, or
    ``1/N (1 - t / (x + eps))``.

    Parameters
    ----------
    log_input : bool, default True
        Whether the prediction is the logarithm of the rate.
    full : bool, default False
        Add Stirling's approximation of log(t!), ``t log(t) - t + log(2 pi t) / 2``, where t > 1.
    eps : float, default 1e-8
        What keeps the logarithm away from 0.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> loss = nt.PoissonNLLLoss()
    >>> loss(np.array([0.0, 0.0]), np.array([3.0, 1.0]))
    1.0
    >>> loss.backward().tolist()
    [-1.0, 0.0]
    """

    _kind = "poisson_nll"
    log_input = Flag("Whether the prediction is the logarithm of the rate.")
    full = Flag("Whether Stirling's approximation is added.")
    eps = Number("What keeps the logarithm away from 0.")

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction, log_input=log_input, full=full, eps=eps)
