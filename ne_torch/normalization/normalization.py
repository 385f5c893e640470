"""What the layers of normalisation share: eps, and a weight and a bias of each feature."""

from __future__ import annotations

from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch._checks import float_dtype
from ne_torch._memory import aligned
from ne_torch.layer import Layer, Parameter, StatesOf
from ne_torch.typing import Array, ArrayLike, DTypeName

__all__ = ["Normalization"]


class Normalization(Layer):
    """What the two share: eps, a weight of ones and a bias of zeros, or neither."""

    def __init__(self, features: int, eps: float, affine: bool, bias: bool, dtype: DTypeName) -> None:
        place = type(self).__name__
        self.eps = _core.finite_number(eps, place, "eps")
        self.dtype: np.dtype[Any] = float_dtype(dtype, place)
        self.features = features
        self._weight = Parameter(aligned(np.ones(features, self.dtype))) if affine else None
        self._bias = Parameter(aligned(np.zeros(features, self.dtype))) if affine and bias else None
        self._saved: tuple[Any, ...] | None = None

    def named_parameters(self) -> dict[str, Parameter]:
        """Return the parameters as ``weight`` and ``bias``, where there are any."""
        named = {"weight": self._weight, "bias": self._bias}
        return {name: parameter for name, parameter in named.items() if parameter is not None}

    @property
    def weight(self) -> Array | None:
        """The factor of each feature, or None; an assignment copies values into it."""
        return None if self._weight is None else self._weight.data

    @weight.setter
    def weight(self, value: ArrayLike) -> None:
        self.load_state_dict({**self.state_dict(), "weight": value})

    @property
    def bias(self) -> Array | None:
        """What is added to each feature, or None; an assignment copies values into it."""
        return None if self._bias is None else self._bias.data

    @bias.setter
    def bias(self, value: ArrayLike) -> None:
        self.load_state_dict({**self.state_dict(), "bias": value})

    @property
    def grad_weight(self) -> Array | None:
        """The gradient of the loss with respect to ``weight``, after a backward pass."""
        return None if self._weight is None else self._weight.grad

    @property
    def grad_bias(self) -> Array | None:
        """The gradient of the loss with respect to ``bias``, after a backward pass."""
        return None if self._bias is None else self._bias.grad

    def _learned(self, states: StatesOf) -> tuple[Any, ...]:
        """Describe weight and bias to the engine."""
        both = [(None, ()) if p is None else (p.data, states(p)) for p in (self._weight, self._bias)]
        return tuple(item for pair in both for item in pair)

    def _keep_gradients(self, grad_weight: Array, grad_bias: Array) -> None:
        if self._weight is not None:
            self._weight.grad = grad_weight
        if self._bias is not None:
            self._bias.grad = grad_bias
