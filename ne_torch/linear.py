"""The fully connected layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ne_torch import _core, init
from ne_torch._checks import float_dtype, positive_integer
from ne_torch._memory import aligned
from ne_torch.layer import Layer, Parameter, StatesOf
from ne_torch.random import Generator, RandomLike, as_generator
from ne_torch.typing import Array, ArrayLike, DTypeName

__all__ = ["Linear"]


class Linear(Layer):
    """The affine map ``y = x W^T + b``.

    Weights start Xavier-normal, sigma = sqrt(2 / (in_features + out_features)) (Glorot and Bengio, AISTATS
    2010), biases at zero, unless ``init`` says otherwise.

    Parameters
    ----------
    in_features, out_features : int
        Length of the last axis of the input and of the output.
    bias : bool, default True
        Whether there is a ``b``.
    dtype : {"float32", "float64"}, default "float32"
        Precision of parameters, inputs and arithmetic.
    rng : int, Generator, numpy.random.Generator or None
        Where the initial weights come from; the same integer gives the same weights everywhere.
    init : {"xavier_normal", "torch"} or callable, default "xavier_normal"
        ``"torch"`` draws weight, then bias, uniform in +-1 / sqrt(in_features), as torch.nn.Linear does. A
        callable of ``ne_torch.init``, or one like them, is called as ``init(weight, generator=...)``; biases
        are zero then.

    Attributes
    ----------
    weight : ndarray of shape (out_features, in_features)
        W: live, writable in place.
    bias : ndarray of shape (out_features,) or None
        b, likewise.
    grad_weight, grad_bias : ndarray or None
        Gradients of the last backward pass, overwritten by the next one; None before the first.

    Raises
    ------
    ValueError
        If a size is below 1, or init is another word.
    TypeError
        If a size is no integer, or dtype is neither float32 nor float64.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> linear = nt.Linear(3, 2, rng=0)
    >>> linear(np.ones((5, 3), dtype="float32")).shape
    (5, 2)
    >>> nt.Linear(3, 2, init=nt.init.kaiming_uniform_, rng=0).weight.shape
    (2, 3)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        dtype: DTypeName = "float32",
        rng: RandomLike = None,
        *,
        init: str | Callable[..., object] = "xavier_normal",
    ) -> None:
        self.in_features = positive_integer(in_features, "Linear", "in_features")
        self.out_features = positive_integer(out_features, "Linear", "out_features")
        self.dtype: np.dtype[Any] = float_dtype(dtype, "Linear")
        self._weight = Parameter(aligned(np.zeros((self.out_features, self.in_features), self.dtype)))
        self._bias = Parameter(aligned(np.zeros(self.out_features, self.dtype))) if bias else None
        _initialize(self._weight.data, self.bias, init, as_generator(rng))
        self._input: ArrayLike = None

    def forward(self, x: ArrayLike, out: Array | None = None) -> Array:
        """Return ``x W^T + b``.

        Parameters
        ----------
        x : array_like of shape (..., in_features)
            Kept, not copied, for the backward pass: leave it unchanged until then.
        out : ndarray of shape (..., out_features), optional
            Where to put the result.

        Returns
        -------
        ndarray of shape (..., out_features)

        Raises
        ------
        ValueError
            If the last axis has another length.
        TypeError
            If x has another dtype than the layer.
        """
        bias = self._bias
        y = _core.affine_forward(x, self._weight.data, None if bias is None else bias.data, out, "Linear")
        self._input = x
        return y

    def backward(self, grad_output: ArrayLike) -> Array:
        """Fill ``grad_weight`` and ``grad_bias``, return the gradient with respect to the last input.

        ``grad_input = grad_output W``, ``grad_weight = grad_output^T x``, ``grad_bias`` = sum of grad_output
        over the batch.

        Parameters
        ----------
        grad_output : array_like of shape (..., out_features)

        Returns
        -------
        ndarray of shape (..., in_features)

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        ValueError
            If the shape is not that of the last output.
        """
        x = self._kept(self._input)
        weight, bias = self._weight, self._bias
        grad_input, weight.grad, grad_bias = _core.affine_backward(
            grad_output,
            x,
            weight.data,
            bias is not None,
            weight.grad,
            None if bias is None else bias.grad,
            "Linear",
        )
        if bias is not None:
            bias.grad = grad_bias
        return grad_input

    def named_parameters(self) -> dict[str, Parameter]:
        """Return the parameters as ``weight`` and, where there is one, ``bias``."""
        return (
            {"weight": self._weight} if self._bias is None else {"weight": self._weight, "bias": self._bias}
        )

    def _arguments(self) -> dict[str, Any]:
        return {
            "in_features": self.in_features,
            "out_features": self.out_features,
            "bias": self._bias is not None,
            "dtype": self.dtype.name,
        }

    def _stage(self, states: StatesOf) -> tuple[Any, ...]:
        weight, bias = self._weight, self._bias
        if bias is None:
            return ("linear", weight.data, states(weight), None, ())
        return ("linear", weight.data, states(weight), bias.data, states(bias))

    @property
    def weight(self) -> Array:
        """W, of shape (out_features, in_features); an assignment copies values into it."""
        return self._weight.data

    @weight.setter
    def weight(self, value: ArrayLike) -> None:
        self.load_state_dict({**self.state_dict(), "weight": value})

    @property
    def bias(self) -> Array | None:
        """b, of shape (out_features,), or None; an assignment copies values into it."""
        return None if self._bias is None else self._bias.data

    @bias.setter
    def bias(self, value: ArrayLike) -> None:
        self.load_state_dict({**self.state_dict(), "bias": value})

    @property
    def grad_weight(self) -> Array | None:
        """The gradient of the loss with respect to ``weight``, after a backward pass."""
        return self._weight.grad

    @property
    def grad_bias(self) -> Array | None:
        """The gradient of the loss with respect to ``bias``, after a backward pass."""
        return None if self._bias is None else self._bias.grad

    def __repr__(self) -> str:
        return (
            f"Linear(in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self._bias is not None}, dtype={self.dtype.name})"
        )


def unfilled(weight: Array, generator: object) -> None:
    """Leave a weight at zero: the ``init`` for values that are about to be copied into it."""


def _initialize(
    weight: Array, bias: Array | None, rule: str | Callable[..., object], generator: Generator
) -> None:
    if callable(rule):
        rule(weight, generator=generator)
    elif rule == "xavier_normal":
        init.xavier_normal_(weight, generator=generator)
    elif rule == "torch":
        bound = 1 / math.sqrt(weight.shape[1])
        for array in (weight,) if bias is None else (weight, bias):
            init.uniform_(array, -bound, bound, generator=generator)
    else:
        raise ValueError(f'Linear: expected init "xavier_normal", "torch" or a callable, got {rule!r}')
