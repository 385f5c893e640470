"""What all optimizers have in common: hyperparameters, what they remember of each parameter, the step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, TypeVar, overload

import numpy as np

from ne_torch import _core
from ne_torch._memory import aligned
from ne_torch.layer import Parameter
from ne_torch.typing import Array

__all__ = ["Flag", "Number", "Optimizer"]


Value = TypeVar("Value", float, bool)


class Hyperparameter(Generic[Value]):
    """An attribute of an optimizer, kept where the C++ engine reads it before each step.

    Parameters
    ----------
    doc : str
    structural : bool
        Whether it decides what the optimizer remembers, so that engines have to be made anew.
    """

    def __init__(self, doc: str, structural: bool = False) -> None:
        self.__doc__ = doc
        self._structural = structural

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, optimizer: None, owner: type) -> Hyperparameter[Value]: ...
    @overload
    def __get__(self, optimizer: Optimizer, owner: type | None = None) -> Value: ...
    def __get__(
        self, optimizer: Optimizer | None, owner: type | None = None
    ) -> Hyperparameter[Value] | Value:
        if optimizer is None:
            return self
        value: Value = getattr(optimizer._settings, self._name)
        return value

    def __set__(self, optimizer: Optimizer, value: Value) -> None:
        setattr(optimizer._settings, self._name, self.checked(value, type(optimizer).__name__))
        if self._structural:
            _core.structure_changed()

    def checked(self, value: Any, place: str) -> Value:
        """Return what value stands for; TypeError or ValueError where it cannot be this hyperparameter."""
        raise NotImplementedError


class Number(Hyperparameter[float]):
    """A number that is not negative, and below a bound where there is one."""

    def __init__(self, doc: str, structural: bool = False, below: float = math.inf) -> None:
        super().__init__(doc, structural)
        self._below = below

    def checked(self, value: Any, place: str) -> float:
        """Return value as a float."""
        number = _core.finite_number(value, place, self._name)
        if number < 0:
            raise ValueError(f"{place}: expected {self._name} >= 0, got {value!r}")
        if number >= self._below:
            raise ValueError(f"{place}: expected {self._name} < {self._below}, got {value!r}")
        return number


class Flag(Hyperparameter[bool]):
    """On or off."""

    def checked(self, value: Any, place: str) -> bool:  # noqa: ARG002 - every value is true or false
        """Return whether value is true."""
        return bool(value)


class Optimizer:
    """Base of optimizers: a name in csrc/core/names.hpp, whose kernels do the work.

    A class of its own names its hyperparameters (attributes of kind Number and Flag) and its states, in the
    order of csrc/kernels/optimizers.hpp.
    """

    _kind: ClassVar[str]
    _option_names: ClassVar[tuple[str, ...]]
    _state_names: ClassVar[tuple[str, ...]]

    lr = Number("The learning rate.")

    def __init__(self, params: Iterable[Parameter], **options: Any) -> None:
        self.params = _parameters(params, type(self).__name__)
        self._states: list[list[Array | None]] = [[None] * len(self._state_names) for _ in self.params]
        self._settings = self._checked_settings(options)

    def _checked_settings(self, options: dict[str, Any]) -> _core.OptimizerSettings:
        values = {}
        for name, value in options.items():
            values[name] = getattr(type(self), name).checked(value, type(self).__name__)
        self._check_together(values)
        return _core.OptimizerSettings(self._kind, values)

    def _check_together(self, options: dict[str, Any]) -> None:
        """Raise ValueError where hyperparameters do not go with each other."""

    def _initial_state(self, parameter: Parameter) -> Array:
        return np.zeros_like(parameter.data)

    def states(self) -> list[tuple[Array | None, ...]]:
        """Return what is remembered of each parameter, made where the hyperparameters want it."""
        wanted = [self._settings.wants_state(i) for i in range(len(self._state_names))]
        for parameter, state in zip(self.params, self._states, strict=True):
            for i, want in enumerate(wanted):
                if want and state[i] is None:
                    state[i] = aligned(self._initial_state(parameter))
        return [tuple(state) for state in self._states]

    def state_names(self) -> tuple[str, ...]:
        """Return what ``states`` holds, by name."""
        return self._state_names

    def step(self) -> None:
        """Update every parameter that has a gradient; where the call fails, none."""
        self._step(None)

    def _step(self, record: tuple[list[Any], list[Any]] | None) -> None:
        """Step, and with the update replace a list's content, so that no interrupt comes in between."""
        pairs = zip(self.params, self.states(), strict=True)
        active = [(p.data, p.grad, states) for p, states in pairs if p.grad is not None]
        params, grads, states = zip(*active, strict=True) if active else ((), (), ())
        _core.update(params, grads, states, self._settings, f"{type(self).__name__}.step", record)

    @property
    def steps(self) -> int:
        """The number of steps taken."""
        return self._settings.steps

    def zero_grad(self) -> None:
        """Forget the gradients. A backward pass overwrites them anyway: training does not need this call."""
        for parameter in self.params:
            parameter.grad = None

    def options(self) -> dict[str, Any]:
        """Return the hyperparameters by name."""
        return {name: getattr(self, name) for name in self._option_names}

    def set_options(self, **options: Any) -> None:
        """Change hyperparameters, all of them or none where one does not fit."""
        unknown = options.keys() - set(self._option_names)
        if unknown:
            raise TypeError(
                f"{type(self).__name__}: expected hyperparameters among {self._option_names}, "
                f"got {sorted(unknown)}"
            )
        checked = self._checked_settings({**self.options(), **options})
        for name in self._option_names:
            setattr(self._settings, name, getattr(checked, name))
        _core.structure_changed()  # engines without states must ask for them

    def state_dict(self) -> dict[str, Any]:
        """Return the hyperparameters, the number of steps, and copies of the states, by name.

        A state that was not needed so far is None.
        """
        states = {
            name: [None if state[i] is None else np.array(state[i]) for state in self._states]
            for i, name in enumerate(self._state_names)
        }
        return {**self.options(), "steps": self.steps, **states}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over hyperparameters and states.

        Raises
        ------
        ValueError, TypeError
            If a name is missing or unknown, or a value does not fit. Nothing has been changed then.
        """
        place = f"{type(self).__name__}.load_state_dict"
        expected = {*self.options(), "steps", *self._state_names}
        if state_dict.keys() != expected:
            raise ValueError(f"{place}: expected the keys {sorted(expected)}, got {sorted(state_dict)}")
        steps = state_dict["steps"]
        if type(steps) is not int or not 0 <= steps < 2**62:
            raise ValueError(f"{place}: expected steps as a number of steps, got {steps!r}")
        columns = [self._column(name, state_dict[name], place) for name in self._state_names]
        self.set_options(**{name: state_dict[name] for name in self._option_names})
        self._states = [list(state) for state in zip(*columns, strict=True)]
        self._settings.steps = steps

    def _column(self, name: str, found: Any, place: str) -> list[Array | None]:
        """Return one kind of state for all parameters, checked and copied."""
        shapes = [parameter.shape for parameter in self.params]
        if len(found) != len(shapes) or any(
            v is not None and np.shape(v) != shape for v, shape in zip(found, shapes, strict=True)
        ):
            raise ValueError(f"{place}: expected {name} of the shapes {shapes}")
        return [
            None if state is None else aligned(np.asarray(state, parameter.dtype))
            for state, parameter in zip(found, self.params, strict=True)
        ]

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value}" for name, value in self.options().items())
        return f"{type(self).__name__}({options})"


def _parameters(params: Iterable[Parameter], place: str) -> list[Parameter]:
    result = list(params)
    for parameter in result:
        if not isinstance(parameter, Parameter):
            raise TypeError(
                f"{place}: expected params from model.parameters(), got {type(parameter).__name__}"
            )
    if not result:
        raise ValueError(
            f"{place}: expected at least one parameter, got none; is anything learned by this model?"
        )
    return result
