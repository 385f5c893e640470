"""Activations."""

from __future__ import annotations

from typing import Any

from ne_torch import _core
from ne_torch.layer import Layer, StatesOf
from ne_torch.typing import Array, ArrayLike

__all__ = ["ReLU", "Softmax"]


class Activation(Layer):
    """Base of element-wise activations: a name in csrc/core/names.hpp, whose kernels do the work."""

    name: str

    def __init__(self) -> None:
        self._input: ArrayLike = None

    def forward(self, x: ArrayLike, out: Array | None = None) -> Array:
        """Return the activation of every element of x, of any shape.

        x is kept for the backward pass, not copied: leave it unchanged until then.
        """
        y = _core.activation_forward(self.name, x, out, type(self).__name__)
        self._input = x.copy() if out is not None and out is x else x
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
        place = type(self).__name__
        if self._input is None:
            raise RuntimeError(f"{place}: expected forward before backward; call forward(x) first")
        return _core.activation_backward(self.name, grad_output, self._input, None, place)

    def _stage(self, states: StatesOf) -> tuple[Any, ...]:  # noqa: ARG002 - nothing is learned
        return ("activation", self.name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ReLU(Activation):
    """The rectifier ``y = max(0, x)``, element by element; its gradient is 1 where x > 0, else 0.

    NaN stays NaN in the forward pass and lets the gradient through in the backward pass, as in torch.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.ReLU()(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    name = "relu"


class Softmax(Layer):
    """``s_i = exp(x_i - max x) / sum over j of exp(x_j - max x)`` over the last axis.

    The exponential is the project's own: within 1.06 units in the last place over all of float32, 1.1 in
    float64, the same bits on every machine. A slice that holds a NaN or +inf, or only -inf, becomes NaN, as
    in torch.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.Softmax()(np.zeros((1, 4))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """

    def __init__(self) -> None:
        self._output: Array | None = None

    def forward(self, x: ArrayLike, out: Array | None = None) -> Array:
        """Return the softmax of x of shape (..., classes) over its last axis."""
        y = _core.softmax_forward(x, out, "Softmax")
        self._output = y.copy()  # the caller may go on with y in place
        return y

    def backward(self, grad_output: ArrayLike) -> Array:
        """Return the Jacobian-vector product ``s * (g - sum(g * s))`` over the last axis.

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        ValueError
            If the shape is not that of the last output.
        """
        if self._output is None:
            raise RuntimeError("Softmax: expected forward before backward; call forward(x) first")
        return _core.softmax_backward(grad_output, self._output, None, "Softmax")

    def _stage(self, states: StatesOf) -> tuple[Any, ...]:  # noqa: ARG002 - nothing is learned
        return ("softmax",)

    def __repr__(self) -> str:
        return "Softmax()"
