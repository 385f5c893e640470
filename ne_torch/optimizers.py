"""Optimizers: how parameters follow their gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch._memory import aligned
from ne_torch.layer import Parameter
from ne_torch.typing import Array

__all__ = ["SGD"]


class SGD:
    """Stochastic gradient descent, with momentum, weight decay and Nesterov's variant as in torch.optim.SGD.

    For each parameter p with gradient g::

        g = g + weight_decay * p
        v = momentum * v + g                    v starts at 0
        d = g + momentum * v if nesterov else v
        p = p - lr * d

    Parameters
    ----------
    params : iterable of Parameter
        ``model.parameters()``.
    lr : float, default 0.001
    momentum, weight_decay : float, default 0
    nesterov : bool, default False
        Needs momentum.

    Raises
    ------
    TypeError
        If params holds anything but Parameters, or a hyperparameter is no number.
    ValueError
        If params is empty, a hyperparameter is negative or not finite, or nesterov comes without momentum.

    Notes
    -----
    ``lr``, ``momentum`` and ``weight_decay`` may be changed between steps. Each product and sum of the
    formula is one fused multiply-add; a term whose factor is 0 is left out.
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        self.params = _parameters(params)
        self._velocity: list[Array | None] = [None] * len(self.params)
        self._settings = _core.SGDSettings(
            _non_negative(lr, "lr"),
            _non_negative(momentum, "momentum"),
            _non_negative(weight_decay, "weight_decay"),
            bool(nesterov),
        )
        if nesterov and self.momentum == 0:
            raise ValueError("SGD: expected momentum > 0 with nesterov=True, got momentum 0")

    @property
    def lr(self) -> float:
        """The learning rate."""
        return self._settings.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._settings.lr = _non_negative(value, "lr")

    @property
    def momentum(self) -> float:
        """The share of the velocity that lasts from step to step."""
        return self._settings.momentum

    @momentum.setter
    def momentum(self, value: float) -> None:
        self._settings.momentum = _non_negative(value, "momentum")
        _core.structure_changed()  # engines without velocities must ask for them

    @property
    def weight_decay(self) -> float:
        """The factor of the parameter that is added to its gradient."""
        return self._settings.weight_decay

    @weight_decay.setter
    def weight_decay(self, value: float) -> None:
        self._settings.weight_decay = _non_negative(value, "weight_decay")

    @property
    def nesterov(self) -> bool:
        """Whether the velocity is looked at one step ahead."""
        return self._settings.nesterov

    def velocity(self) -> list[Array | None]:
        """Return the velocity of each parameter, made (at 0) where momentum wants one."""
        if self.momentum != 0:
            self._velocity = [
                aligned(np.zeros_like(parameter.data)) if velocity is None else velocity
                for parameter, velocity in zip(self.params, self._velocity, strict=True)
            ]
        return self._velocity

    def step(self) -> None:
        """Update every parameter that has a gradient; where the call fails, none."""
        self._step(None)

    def _step(self, record: tuple[list[Any], list[Any]] | None) -> None:
        """Step, and with the update replace a list's content, so that no interrupt comes in between."""
        pairs = zip(self.params, self.velocity(), strict=True)
        active = [(p.data, p.grad, velocity) for p, velocity in pairs if p.grad is not None]
        params, grads, velocities = zip(*active, strict=True) if active else ((), (), ())
        _core.sgd_update(params, grads, velocities, self._settings, "SGD.step", record)

    def state_dict(self) -> dict[str, Any]:
        """Return the hyperparameters by name, and copies of the velocities (None where there is none)."""
        velocities = [None if velocity is None else velocity.copy() for velocity in self._velocity]
        return {**self.options(), "velocity": velocities}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over hyperparameters and velocities.

        Raises
        ------
        ValueError, TypeError
            If a name is missing or unknown, or a value does not fit. Nothing has been changed then.
        """
        place = "SGD.load_state_dict"
        if state_dict.keys() != {*self.options(), "velocity"}:
            expected = sorted({*self.options(), "velocity"})
            raise ValueError(f"{place}: expected the keys {expected}, got {sorted(state_dict)}")
        found = state_dict["velocity"]
        shapes = [parameter.shape for parameter in self.params]
        if len(found) != len(shapes) or any(
            v is not None and np.shape(v) != shape for v, shape in zip(found, shapes, strict=True)
        ):
            raise ValueError(f"{place}: expected velocities of the shapes {shapes}")
        velocities = [
            None if velocity is None else aligned(np.asarray(velocity, parameter.dtype))
            for velocity, parameter in zip(found, self.params, strict=True)
        ]
        self.set_options(**{name: state_dict[name] for name in self.options()})
        self._velocity = velocities
        _core.structure_changed()

    def options(self) -> dict[str, Any]:
        """Return the hyperparameters by name."""
        names = ("lr", "momentum", "weight_decay", "nesterov")
        return {name: getattr(self, name) for name in names}

    def set_options(self, lr: float, momentum: float, weight_decay: float, nesterov: bool) -> None:
        """Change all hyperparameters, or none where one does not fit."""
        checked = SGD(self.params, lr, momentum, weight_decay, nesterov)._settings
        for name in self.options():
            setattr(self._settings, name, getattr(checked, name))
        _core.structure_changed()  # engines without velocities must ask for them

    def zero_grad(self) -> None:
        """Forget the gradients. A backward pass overwrites them anyway: training does not need this call."""
        for parameter in self.params:
            parameter.grad = None

    def __repr__(self) -> str:
        return (
            f"SGD(lr={self.lr}, momentum={self.momentum}, weight_decay={self.weight_decay}, "
            f"nesterov={self.nesterov})"
        )


def _parameters(params: Iterable[Parameter]) -> list[Parameter]:
    result = list(params)
    for parameter in result:
        if not isinstance(parameter, Parameter):
            raise TypeError(f"SGD: expected params from model.parameters(), got {type(parameter).__name__}")
    if not result:
        raise ValueError("SGD: expected at least one parameter, got none; is anything learned by this model?")
    return result


def _non_negative(value: float, name: str) -> float:
    number = _core.finite_number(value, "SGD", name)
    if number < 0:
        raise ValueError(f"SGD: expected {name} >= 0, got {value!r}")
    return number
