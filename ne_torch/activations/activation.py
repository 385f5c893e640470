"""What element-wise activations have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch.layer import Layer, StatesOf
from ne_torch.typing import Array, ArrayLike

__all__ = ["Activation"]


class Activation(Layer):
    """Base of element-wise activations: a name in csrc/core/names.hpp, whose kernels do the work.

    Attributes
    ----------
    name : str
        As ``_core.activation_names()`` has it.
    options : dict of float
        What the constructor was given, by torch's names, in the order in which the kernels take them. Each
        is an attribute as well. They stay as they are: an engine or a predictor may have been made of them.
    """

    name: str

    def __init__(self, **options: float) -> None:
        place = type(self).__name__
        self.options = {key: _core.finite_number(value, place, key) for key, value in options.items()}
        self._input: ArrayLike = None

    @property
    def numbers(self) -> tuple[float, float]:
        """The kernels' two numbers; 0 where there are less."""
        first, second, *_ = (*self.options.values(), 0.0, 0.0)
        return first, second

    def forward(self, x: ArrayLike, out: Array | None = None) -> Array:
        """Return the activation of every element of x, of any shape.

        x is kept for the backward pass, not copied: leave it unchanged until then.
        """
        overwritten = out is not None and isinstance(x, np.ndarray) and np.may_share_memory(x, out)
        kept = x.copy() if overwritten else x
        y = _core.activation_forward(self.name, x, out, type(self).__name__, *self.numbers)
        self._input = kept
        return y

    def backward(self, grad_output: ArrayLike) -> Array:
        """Return grad_output times the derivative at the last input.

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        ValueError
            If the shape is not that of the last input.
        """
        x, place = self._kept(self._input), type(self).__name__
        return _core.activation_backward(self.name, grad_output, x, None, place, *self.numbers)

    def _arguments(self) -> dict[str, Any]:
        return dict(self.options)

    def _stage(self, states: StatesOf) -> tuple[Any, ...]:  # noqa: ARG002 - nothing is learned
        return ("activation", self.name, *self.numbers)

    def __getattr__(self, name: str) -> float:
        options: dict[str, float] = self.__dict__.get("options", {})  # none yet while a copy is made
        if name in options:
            return options[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        options = ", ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{type(self).__name__}({options})"
