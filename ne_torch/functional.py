"""The kernels on plain arrays, without layers.

Every function takes what NumPy can view, in float32 or float64, and returns a new array or ``out``.
"""

from __future__ import annotations

from ne_torch import _core
from ne_torch.activations.functional import *  # noqa: F403
from ne_torch.activations.functional import __all__ as _activations
from ne_torch.typing import Array, ArrayLike

__all__ = [
    *_activations,
    "affine_backward",
    "affine_forward",
    "mse_backward",
    "mse_forward",
]


def affine_forward(
    x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, *, out: Array | None = None
) -> Array:
    """Return ``x W^T + b`` for x (..., in), W (out, in) and b (out,)."""
    return _core.affine_forward(x, weight, bias, out)


def affine_backward(grad_output: ArrayLike, x: ArrayLike, weight: ArrayLike) -> tuple[Array, Array, Array]:
    """Return (grad_input, grad_weight, grad_bias) of ``affine_forward``.

    ``grad_input = grad_output W``, ``grad_weight = grad_output^T x``, grad_bias = sum over the batch.
    """
    grad_input, grad_weight, grad_bias = _core.affine_backward(grad_output, x, weight, True)
    assert grad_bias is not None
    return grad_input, grad_weight, grad_bias


def mse_forward(prediction: ArrayLike, target: ArrayLike) -> float:
    """Return the mean of ``(prediction - target)^2`` over all elements."""
    return _core.loss_forward("mse", prediction, target, place="mse_forward")


def mse_backward(prediction: ArrayLike, target: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``2/N (prediction - target)``, N the number of elements."""
    return _core.loss_backward("mse", prediction, target, out, place="mse_backward")
