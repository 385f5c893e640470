"""Activations of plain arrays, for ``ne_torch.functional``: x is the input of the forward pass throughout."""

from __future__ import annotations

from ne_torch import _core
from ne_torch.typing import Array, ArrayLike

__all__ = [
    "elu_backward",
    "elu_forward",
    "gelu_backward",
    "gelu_forward",
    "gelu_tanh_backward",
    "gelu_tanh_forward",
    "hardtanh_backward",
    "hardtanh_forward",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "log_softmax_backward",
    "log_softmax_forward",
    "relu_backward",
    "relu_forward",
    "selu_backward",
    "selu_forward",
    "sigmoid_backward",
    "sigmoid_forward",
    "silu_backward",
    "silu_forward",
    "softmax_backward",
    "softmax_forward",
    "softplus_backward",
    "softplus_forward",
    "tanh_backward",
    "tanh_forward",
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
