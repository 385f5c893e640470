"""Softmax of plain arrays, and its logarithm."""

from __future__ import annotations

from ne_torch import _core
from ne_torch.typing import Array, ArrayLike

__all__ = [
    "log_softmax_backward",
    "log_softmax_forward",
    "softmax_backward",
    "softmax_forward",
]


def softmax_forward(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return the softmax over the last axis, the maximum subtracted first.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.softmax_forward([0.0, 0.0])
    array([0.5, 0.5])
    """
    return _core.softmax_forward(x, out)


def softmax_backward(grad_output: ArrayLike, output: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``s * (g - sum(g * s))`` over the last axis, for s the output of ``softmax_forward``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.softmax_backward([1.0, 0.0], [0.5, 0.5])
    array([ 0.25, -0.25])
    """
    return _core.softmax_backward(grad_output, output, out)


def log_softmax_forward(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return the logarithm of the softmax over the last axis, the maximum subtracted first.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.log_softmax_forward([0.0, 0.0])
    array([-0.69314718, -0.69314718])
    """
    return _core.log_softmax_forward(x, out)


def log_softmax_backward(grad_output: ArrayLike, output: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``g - exp(l) * sum(g)`` over the last axis, for l the output of ``log_softmax_forward``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.log_softmax_backward([1.0, 0.0], [0.0, 0.0])
    array([ 0., -1.])
    """
    return _core.log_softmax_backward(grad_output, output, out)
