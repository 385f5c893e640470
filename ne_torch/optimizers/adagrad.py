"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch.layer import Parameter
from ne_torch.optimizers.hyperparameter import Flag, Number
from ne_torch.optimizers.optimizer import Optimizer
from ne_torch.typing import Array

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Adagrad, as in torch.optim.Adagrad (Duchi, Hazan and Singer 2011).

    For each parameter p with gradient g, in step t counted from 1::

        g = g + weight_decay * p
        s = s + g^2                                 s starts at initial_accumulator_value
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        ``model.parameters()``, or groups of them with hyperparameters of their own; see ``Optimizer``.
    lr : float, default 0.01
    lr_decay, weight_decay, initial_accumulator_value : float, default 0
    eps : float, default 1e-10
    maximize : bool, default False
        Climb instead: g is the gradient's negative.

    Raises
    ------
    TypeError
        If params holds anything but Parameters, or a hyperparameter is no number.
    ValueError
        If params is empty, or a hyperparameter is negative or not finite.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> parameter = nt.Parameter(np.ones(2))
    >>> parameter.grad = np.array([3.0, -0.1])
    >>> nt.Adagrad([parameter], lr=0.5).step()
    >>> parameter.data.round(6).tolist()
    [0.5, 1.5]
    """

    _kind = "adagrad"
    _option_names = ("lr", "lr_decay", "weight_decay", "eps", "maximize")
    _state_names = ("sum",)

    lr_decay = Number("How fast the learning rate falls with the number of steps.")
    weight_decay = Number("The factor of the parameter that is added to its gradient.")
    eps = Number("What keeps the divisor away from 0.")
    maximize = Flag("Whether to climb.")

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Mapping[str, Any]],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        initial = _core.finite_number(initial_accumulator_value, "Adagrad", "initial_accumulator_value")
        if initial < 0:
            raise ValueError(f"Adagrad: expected initial_accumulator_value >= 0, got {initial}")
        self._initial = initial
        super().__init__(
            params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps, maximize=maximize
        )

    def _initial_state(self, parameter: Parameter) -> Array:
        return np.full_like(parameter.data, self._initial)
