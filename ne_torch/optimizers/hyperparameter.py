"""Hyperparameters: attributes of an optimizer, kept where the C++ engine reads them before each step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from ne_torch import _core

if TYPE_CHECKING:
    from ne_torch.optimizers.optimizer import Optimizer

__all__ = ["Flag", "Hyperparameter", "Number"]

Value = TypeVar("Value", float, bool)


class Hyperparameter(Generic[Value]):
    """One hyperparameter: reading it asks the first parameter group, assigning it sets all of them."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

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
        value: Value = optimizer.param_groups[0][self._name]
        return value

    def __set__(self, optimizer: Optimizer, value: Value) -> None:
        checked = self.checked(value, type(optimizer).__name__)
        for group in optimizer.param_groups:
            group[self._name] = checked

    def checked(self, value: Any, place: str) -> Value:
        """Return what value stands for; TypeError or ValueError where it cannot be this hyperparameter."""
        raise NotImplementedError


class Number(Hyperparameter[float]):
    """A number that is not negative, and below a bound where there is one."""

    def __init__(self, doc: str, below: float = math.inf) -> None:
        super().__init__(doc)
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
