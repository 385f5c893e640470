"""Piecewise linear activations of plain arrays."""

from __future__ import annotations

from ne_torch import _core
from ne_torch.typing import Array, ArrayLike

__all__ = [
    "hardtanh_backward",
    "hardtanh_forward",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "relu_backward",
    "relu_forward",
]


def relu_forward(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``max(0, x)``; ``out`` may be x itself.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.relu_forward([-1.0, 2.0])
    array([0., 2.])
    """
    return _core.activation_forward("relu", x, out, "relu_forward")


def relu_backward(grad_output: ArrayLike, x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return grad_output where x > 0, else 0; x is the input or the output of ``relu_forward``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.relu_backward([1.0, 1.0], [-1.0, 2.0])
    array([0., 1.])
    """
    return _core.activation_backward("relu", grad_output, x, out, "relu_backward")


def leaky_relu_forward(x: ArrayLike, negative_slope: float = 0.01, *, out: Array | None = None) -> Array:
    """Return x where x > 0, else ``negative_slope * x``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.leaky_relu_forward([-1.0, 2.0])
    array([-0.01,  2.  ])
    """
    return _core.activation_forward("leaky_relu", x, out, "leaky_relu_forward", negative_slope)


def leaky_relu_backward(
    grad_output: ArrayLike, x: ArrayLike, negative_slope: float = 0.01, *, out: Array | None = None
) -> Array:
    """Return grad_output where x > 0, else ``negative_slope * grad_output``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.leaky_relu_backward([1.0, 1.0], [-1.0, 2.0])
    array([0.01, 1.  ])
    """
    return _core.activation_backward("leaky_relu", grad_output, x, out, "leaky_relu_backward", negative_slope)


def hardtanh_forward(
    x: ArrayLike, min_val: float = -1.0, max_val: float = 1.0, *, out: Array | None = None
) -> Array:
    """Return ``min(max(x, min_val), max_val)``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.hardtanh_forward([-1.0, 2.0])
    array([-1.,  1.])
    """
    return _core.activation_forward("hardtanh", x, out, "hardtanh_forward", min_val, max_val)


def hardtanh_backward(
    grad_output: ArrayLike,
    x: ArrayLike,
    min_val: float = -1.0,
    max_val: float = 1.0,
    *,
    out: Array | None = None,
) -> Array:
    """Return grad_output where min_val < x < max_val, else 0.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.hardtanh_backward([1.0, 1.0], [-1.0, 2.0])
    array([0., 0.])
    """
    return _core.activation_backward("hardtanh", grad_output, x, out, "hardtanh_backward", min_val, max_val)
