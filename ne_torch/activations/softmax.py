"""Softmax and its logarithm, over the last axis."""

from __future__ import annotations

from typing import Any

from ne_torch import _core
from ne_torch.layer import Layer, StatesOf
from ne_torch.typing import Array, ArrayLike

__all__ = ["LogSoftmax", "Softmax"]


class _ClassWise(Layer):
    """Base of what is computed over the last axis and has its gradient from the output."""

    _kind: str

    def __init__(self) -> None:
        self._output: Array | None = None

    def forward(self, x: ArrayLike, out: Array | None = None) -> Array:
        """Return the result for x of shape (..., classes) over its last axis."""
        y: Array = getattr(_core, f"{self._kind}_forward")(x, out, type(self).__name__)
        self._output = y.copy()  # the caller may go on with y in place
        return y

    def backward(self, grad_output: ArrayLike) -> Array:
        """Return the gradient of the input, a Jacobian-vector product over the last axis, from the output.

        ``s * (g - sum(g * s))`` for softmax s, ``g - exp(l) * sum(g)`` for its logarithm l.

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        ValueError
            If the shape is not that of the last output.
        """
        output, place = self._kept(self._output), type(self).__name__
        grad: Array = getattr(_core, f"{self._kind}_backward")(grad_output, output, None, place)
        return grad

    def _arguments(self) -> dict[str, Any]:
        return {}

    def _stage(self, states: StatesOf) -> tuple[Any, ...]:  # noqa: ARG002 - nothing is learned
        return (self._kind,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Softmax(_ClassWise):
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

    _kind = "softmax"


class LogSoftmax(_ClassWise):
    """``l_i = (x_i - max x) - log(sum over j of exp(x_j - max x))`` over the last axis.

    A slice that holds a NaN or +inf, or only -inf, becomes NaN, as in torch.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.LogSoftmax()(np.zeros((1, 2))).tolist()
    [[-0.6931471805599453, -0.6931471805599453]]
    """

    _kind = "log_softmax"
