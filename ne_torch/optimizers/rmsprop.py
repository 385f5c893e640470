"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ne_torch.layer import Parameter
from ne_torch.optimizers.hyperparameter import Flag, Number
from ne_torch.optimizers.optimizer import Optimizer

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop, as in torch.optim.RMSprop (Hinton's lecture 6e, 2012; centered: Graves 2013).

    For each parameter p with gradient g::

        g = g + weight_decay * p
        v = alpha * v + (1 - alpha) * g^2                   v and m start at 0
        m = m + (1 - alpha) * (g - m)                       where centered
        d = g / (sqrt(v - m^2 if centered else v) + eps)
        b = momentum * b + d                                b starts at 0
        p = p - lr * b

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        ``model.parameters()``, or groups of them with hyperparameters of their own; see ``Optimizer``.
    lr : float, default 0.01
    alpha : float, default 0.99
        How much of the running means lasts from step to step.
    eps : float, default 1e-8
    weight_decay, momentum : float, default 0
    centered : bool, default False
        Divide by the estimated deviation instead of the root of the mean square.
    maximize : bool, default False
        Climb instead: g is the gradient's negative.

    Raises
    ------
    TypeError
        If params holds anything but Parameters, or a hyperparameter is no number.
    ValueError
        If params is empty, or a hyperparameter is negative or not finite.

    Notes
    -----
    Where rounding leaves ``v - m^2`` below 0 it counts as 0; torch gives NaN there.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> parameter = nt.Parameter(np.ones(2))
    >>> parameter.grad = np.array([3.0, -0.1])
    >>> nt.RMSprop([parameter], lr=0.05).step()
    >>> parameter.data.round(6).tolist()
    [0.5, 1.5]
    """

    _kind = "rmsprop"
    _option_names = ("lr", "alpha", "eps", "weight_decay", "momentum", "centered", "maximize")
    _state_names = ("square_avg", "momentum_buffer", "grad_avg")

    alpha = Number("The share of the means that lasts from step to step.")
    eps = Number("What keeps the divisor away from 0.")
    weight_decay = Number("The factor of the parameter that is added to its gradient.")
    momentum = Number("The share of the direction that lasts from step to step.")
    centered = Flag("Whether to divide by the deviation.")
    maximize = Flag("Whether to climb.")

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Mapping[str, Any]],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )
