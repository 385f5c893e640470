"""Activations with an exponential part, of plain arrays."""

from __future__ import annotations

from ne_torch import _core
from ne_torch.typing import Array, ArrayLike

__all__ = [
    "elu_backward",
    "elu_forward",
    "selu_backward",
    "selu_forward",
    "softplus_backward",
    "softplus_forward",
]


def elu_forward(x: ArrayLike, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Return x where x > 0, else ``alpha * (exp(x) - 1)``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.elu_forward([-1.0, 2.0])
    array([-0.63212056,  2.        ])
    """
    return _core.activation_forward("elu", x, out, "elu_forward", alpha)


def elu_backward(
    grad_output: ArrayLike, x: ArrayLike, alpha: float = 1.0, *, out: Array | None = None
) -> Array:
    """Return grad_output where x > 0, else ``grad_output * alpha * exp(x)``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.elu_backward([1.0, 1.0], [-1.0, 2.0])
    array([0.36787944, 1.        ])
    """
    return _core.activation_backward("elu", grad_output, x, out, "elu_backward", alpha)


def selu_forward(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``scale * (x where x > 0, else alpha * (exp(x) - 1))``, see ``SELU``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.selu_forward([-1.0, 2.0])
    array([-1.11133074,  2.10140197])
    """
    return _core.activation_forward("selu", x, out, "selu_forward")


def selu_backward(grad_output: ArrayLike, x: ArrayLike, *, out: Array | None = None) -> Array:
    """Return ``scale * grad_output * (1 where x > 0, else alpha * exp(x))``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.selu_backward([1.0, 1.0], [-1.0, 2.0])
    array([0.6467686 , 1.05070099])
    """
    return _core.activation_backward("selu", grad_output, x, out, "selu_backward")


def softplus_forward(
    x: ArrayLike, beta: float = 1.0, threshold: float = 20.0, *, out: Array | None = None
) -> Array:
    """Return ``log(1 + exp(beta * x)) / beta``, x where beta * x > threshold.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.softplus_forward([-1.0, 2.0])
    array([0.31326169, 2.12692801])
    """
    return _core.activation_forward("softplus", x, out, "softplus_forward", beta, threshold)


def softplus_backward(
    grad_output: ArrayLike,
    x: ArrayLike,
    beta: float = 1.0,
    threshold: float = 20.0,
    *,
    out: Array | None = None,
) -> Array:
    """Return ``grad_output * sigmoid(beta * x)``, grad_output where beta * x > threshold.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.softplus_backward([1.0, 1.0], [-1.0, 2.0])
    array([0.26894142, 0.88079708])
    """
    return _core.activation_backward("softplus", grad_output, x, out, "softplus_backward", beta, threshold)
