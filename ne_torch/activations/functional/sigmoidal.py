"""Sigmoids of plain arrays, and what is weighted by them."""

from __future__ import annotations

from ne_torch import _core
from ne_torch.typing import Array, ArrayLike

__all__ = [
    "gelu_backward",
    "gelu_forward",
    "gelu_tanh_backward",
    "gelu_tanh_forward",
    "sigmoid_backward",
    "sigmoid_forward",
    "silu_backward",
    "silu_forward",
    "tanh_backward",
    "tanh_forward",
]


def sigmoid_forward(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``1 / (1 + exp(-x))``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.sigmoid_forward([-1.0, 2.0])
    array([0.26894142, 0.88079708])
    """
    return _core.activation_forward("sigmoid", x, out, "sigmoid_forward")


def sigmoid_backward(grad_output: ArrayLike, x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``grad_output * y * (1 - y)`` for y = sigmoid(x).

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.sigmoid_backward([1.0, 1.0], [-1.0, 2.0])
    array([0.19661193, 0.10499359])
    """
    return _core.activation_backward("sigmoid", grad_output, x, out, "sigmoid_backward")


def tanh_forward(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``tanh(x)``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.tanh_forward([-1.0, 2.0])
    array([-0.76159416,  0.96402758])
    """
    return _core.activation_forward("tanh", x, out, "tanh_forward")


def tanh_backward(grad_output: ArrayLike, x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``grad_output * (1 - y^2)`` for y = tanh(x).

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.tanh_backward([1.0, 1.0], [-1.0, 2.0])
    array([0.41997434, 0.07065082])
    """
    return _core.activation_backward("tanh", grad_output, x, out, "tanh_backward")


def silu_forward(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``x * sigmoid(x)``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.silu_forward([-1.0, 2.0])
    array([-0.26894142,  1.76159416])
    """
    return _core.activation_forward("silu", x, out, "silu_forward")


def silu_backward(grad_output: ArrayLike, x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``grad_output * s * (1 + x * (1 - s))`` for s = sigmoid(x).

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.silu_backward([1.0, 1.0], [-1.0, 2.0])
    array([0.07232949, 1.09078425])
    """
    return _core.activation_backward("silu", grad_output, x, out, "silu_backward")


def gelu_forward(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``x / 2 * (1 + erf(x / sqrt(2)))``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.gelu_forward([-1.0, 2.0])
    array([-0.15865525,  1.95449974])
    """
    return _core.activation_forward("gelu", x, out, "gelu_forward")


def gelu_backward(grad_output: ArrayLike, x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return grad_output times the derivative of ``gelu_forward`` at x.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.gelu_backward([1.0, 1.0], [-1.0, 2.0])
    array([-0.08331547,  1.0852318 ])
    """
    return _core.activation_backward("gelu", grad_output, x, out, "gelu_backward")


def gelu_tanh_forward(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return GELU by its approximation with tanh, see ``GELU``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.gelu_tanh_forward([-1.0, 2.0])
    array([-0.15880801,  1.95459769])
    """
    return _core.activation_forward("gelu_tanh", x, out, "gelu_tanh_forward")


def gelu_tanh_backward(grad_output: ArrayLike, x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return grad_output times the derivative of ``gelu_tanh_forward`` at x.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.gelu_tanh_backward([1.0, 1.0], [-1.0, 2.0])
    array([-0.08296408,  1.08609926])
    """
    return _core.activation_backward("gelu_tanh", grad_output, x, out, "gelu_tanh_backward")
