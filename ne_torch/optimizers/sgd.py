"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ne_torch.layer import Parameter
from ne_torch.optimizers.hyperparameter import Flag, Number
from ne_torch.optimizers.optimizer import Optimizer
from ne_torch.typing import Array

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, weight decay and Nesterov's variant as in torch.optim.SGD.

    For each parameter p with gradient g::

        g = g + weight_decay * p
        v = momentum * v + (1 - dampening) * g  v starts at 0; the first step is not dampened
        d = g + momentum * v if nesterov else v
        p = p - lr * d

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        ``model.parameters()``, or groups of them with hyperparameters of their own; see ``Optimizer``.
    lr : float, default 0.001
    momentum, weight_decay, dampening : float, default 0
    nesterov : bool, default False
        Needs momentum, and no dampening.
    maximize : bool, default False
        Climb instead: g is the gradient's negative.

    Raises
    ------
    TypeError
        If params holds anything but Parameters, or a hyperparameter is no number.
    ValueError
        If params is empty, a hyperparameter is negative or not finite, or nesterov comes without momentum or
        with dampening.

    Notes
    -----
    Hyperparameters may be changed between steps. Each product and sum of the formula is one fused
    multiply-add; a term whose factor is 0 is left out.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> parameter = nt.Parameter(np.ones(2))
    >>> parameter.grad = np.array([1.0, 2.0])
    >>> nt.SGD([parameter], lr=0.5).step()
    >>> parameter.data.tolist()
    [0.5, 0.0]
    """

    _kind = "sgd"
    _option_names = ("lr", "momentum", "weight_decay", "nesterov", "dampening", "maximize")
    _state_names = ("velocity",)

    momentum = Number("The share of the velocity that lasts from step to step.")
    weight_decay = Number("The factor of the parameter that is added to its gradient.")
    nesterov = Flag("Whether the velocity is looked at one step ahead.")
    dampening = Number("The share of the gradient that does not enter the velocity.")
    maximize = Flag("Whether to climb.")

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Mapping[str, Any]],
        lr: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        dampening: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            nesterov=nesterov,
            dampening=dampening,
            maximize=maximize,
        )

    @classmethod
    def _check_together(cls, options: Mapping[str, Any]) -> None:
        if options["nesterov"] and options["momentum"] == 0:
            raise ValueError("SGD: expected momentum > 0 with nesterov=True, got momentum 0")
        if options["nesterov"] and options["dampening"] != 0:
            raise ValueError(
                f"SGD: expected dampening 0 with nesterov=True, got dampening {options['dampening']}"
            )

    def velocity(self) -> list[Array | None]:
        """Return the velocity of each parameter, made (at 0) where momentum wants one."""
        return [velocity for (velocity,) in self.states()]
