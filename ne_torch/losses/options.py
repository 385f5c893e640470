"""Options of losses: how a constructor's argument is checked, and the attribute that tells it."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from ne_torch import _core
from ne_torch.typing import Array

if TYPE_CHECKING:
    from ne_torch.losses.loss import Loss

__all__ = ["Flag", "Index", "Number", "Option", "Weights", "checked_reduction"]

_REDUCTIONS = ("mean", "sum", "none")


def checked_reduction(value: Any, place: str) -> str:
    """Return value where it names a reduction; ValueError otherwise."""
    if value not in _REDUCTIONS:
        raise ValueError(f"{place}: expected reduction to be one of {_REDUCTIONS}, got {value!r}")
    return str(value)


class Option:
    """An attribute of a loss, fixed when it was made.

    Parameters
    ----------
    doc : str
    """

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, loss: Loss | None, owner: type | None = None) -> Any:
        return self if loss is None else loss._settings.options[self._name]

    def __set__(self, loss: Loss, value: object) -> None:
        place = type(loss).__name__
        raise AttributeError(
            f"{place}: {self._name} is fixed; make a new {place} with {self._name}={value!r}"
        )

    def checked(self, value: Any, place: str) -> Any:
        """Return what value stands for; TypeError or ValueError where it cannot be this option."""
        raise NotImplementedError


class Number(Option):
    """A finite number between two others."""

    def __init__(
        self, doc: str, least: float = 0.0, most: float = math.inf, *, open_ends: bool = False
    ) -> None:
        super().__init__(doc)
        self._least, self._most, self._open = least, most, open_ends

    def checked(self, value: Any, place: str) -> float:
        """Return value as a float."""
        number = _core.finite_number(value, place, self._name)
        inside = self._least < number < self._most if self._open else self._least <= number <= self._most
        if not inside:
            sign = "<" if self._open else "<="
            upper = "" if math.isinf(self._most) else f" {sign} {self._most}"
            raise ValueError(f"{place}: expected {self._least} {sign} {self._name}{upper}, got {value!r}")
        return number


class Flag(Option):
    """On or off."""

    def checked(self, value: Any, place: str) -> bool:  # noqa: ARG002 - every value is true or false
        """Return whether value is true."""
        return bool(value)


class Index(Option):
    """An integer."""

    def checked(self, value: Any, place: str) -> int:
        """Return value as an int of 64 bits."""
        try:
            number = operator.index(value)
        except TypeError:
            raise TypeError(f"{place}: expected {self._name} as an integer, got {value!r}") from None
        if not -(2**63) <= number < 2**63:
            raise ValueError(f"{place}: expected {self._name} as an integer of 64 bits, got {number}")
        return number


class Weights(Option):
    """A weight for each class, or None."""

    def __init__(self, doc: str, *, one_for_all: bool = False) -> None:
        super().__init__(doc)
        self._one_for_all = one_for_all

    def checked(self, value: Any, place: str) -> Array | None:
        """Return a copy of value as a float64 array of shape (classes,), or None."""
        if value is None:
            return None
        array = _core.numpy_view(value, place, self._name)
        if array.dtype.kind not in "iuf":
            raise TypeError(f"{place}: expected {self._name} as real numbers, got dtype {array.dtype}")
        weights = np.array(array, dtype="float64")
        if self._one_for_all and weights.ndim == 0:
            weights = weights.reshape(1)
        if weights.ndim != 1 or weights.size == 0:
            raise ValueError(f"{place}: expected {self._name} of shape (classes,), got {weights.shape}")
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise ValueError(f"{place}: expected finite {self._name} >= 0, got {weights.tolist()}")
        return weights
