"""The kernels on plain arrays, without layers.

Every function takes what NumPy can view, in float32 or float64, and returns a new array or ``out``.
"""

from __future__ import annotations

from ne_torch import _core
from ne_torch.activations import functional as _activations
from ne_torch.activations.functional import *  # noqa: F403 - its exports are ours
from ne_torch.losses import functional as _losses
from ne_torch.losses.functional import *  # noqa: F403 - its exports are ours
from ne_torch.typing import Array, ArrayLike

__all__ = [
    "affine_backward",
    "affine_forward",
]
__all__ += [*_activations.__all__, *_losses.__all__]


def affine_forward(
    x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, *, out: Array | None = None
) -> Array:
    """Return ``x W^T + b`` for x (..., in), W (out, in) and b (out,).

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.affine_forward([1.0, 2.0], [[3.0, 4.0]], [0.5])
    array([11.5])
    """
    return _core.affine_forward(x, weight, bias, out)


def affine_backward(grad_output: ArrayLike, x: ArrayLike, weight: ArrayLike) -> tuple[Array, Array, Array]:
    """Return (grad_input, grad_weight, grad_bias) of ``affine_forward``.

    ``grad_input = grad_output W``, ``grad_weight = grad_output^T x``, grad_bias = sum over the batch.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.affine_backward([[1.0]], [[1.0, 2.0]], [[3.0, 4.0]])
    (array([[3., 4.]]), array([[1., 2.]]), array([1.]))
    """
    grad_input, grad_weight, grad_bias = _core.affine_backward(grad_output, x, weight, True)
    assert grad_bias is not None
    return grad_input, grad_weight, grad_bias
