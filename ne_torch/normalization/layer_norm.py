"""Normalisation of a sample over its features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ne_torch import _core
from ne_torch._checks import positive_integer
from ne_torch.layer import StatesOf
from ne_torch.normalization.normalization import Normalization
from ne_torch.typing import Array, ArrayLike, DTypeName

__all__ = ["LayerNorm"]


class LayerNorm(Normalization):
    """``y = (x - mean) / sqrt(var + eps) * weight + bias``, mean and variance of a sample over its features.

    The variance is the biased one, over n and not n - 1. (Ba, Kiros, Hinton, 2016.)

    Parameters
    ----------
    normalized_shape : int or sequence of one int
        The length of the last axis.
    eps : float, default 1e-5
        Added to the variance.
    elementwise_affine, bias : bool, default True
        Whether there are a weight and a bias.
    dtype : {"float32", "float64"}, default "float32"
        Precision of parameters, inputs and arithmetic.

    Attributes
    ----------
    weight, bias : ndarray of shape (features,) or None
        Live, writable in place; they begin as ones and zeros.
    grad_weight, grad_bias : ndarray or None
        Gradients of the last backward pass.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as said.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.LayerNorm(2, eps=0.0, dtype="float64")(np.array([[1.0, 3.0], [5.0, 4.0]])).tolist()
    [[-1.0, 1.0], [1.0, -1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: DTypeName = "float32",
    ) -> None:
        shape = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
        if len(shape) != 1:
            raise ValueError(
                "LayerNorm: expected normalized_shape as the length of the last axis, "
                f"got {normalized_shape!r}"
            )
        features = positive_integer(shape[0], "LayerNorm", "normalized_shape")
        super().__init__(features, eps, elementwise_affine, bias, dtype)
        self.normalized_shape = (features,)

    def forward(self, x: ArrayLike) -> Array:
        """Return the normalised x of shape (..., features).

        Raises
        ------
        ValueError
            If the last axis has another length.
        TypeError
            If x has another dtype than the layer.
        """
        y, *saved = _core.layer_norm_forward(
            x, self.features, self.dtype.name, self.weight, self.bias, self.eps, "LayerNorm"
        )
        self._saved = tuple(saved)
        return y

    def backward(self, grad_output: ArrayLike) -> Array:
        """Fill ``grad_weight`` and ``grad_bias``, return the gradient with respect to the last input.

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        ValueError
            If the shape is not that of the last output.
        """
        normalized, rstd = self._kept(self._saved)
        grad_input = _core.layer_norm_backward(grad_output, normalized, rstd, self.weight, "LayerNorm")
        if self._weight is not None:
            self._keep_gradients(*_core.scale_shift_gradients(grad_output, normalized, "LayerNorm"))
        return grad_input

    def _arguments(self) -> dict[str, Any]:
        return {
            "normalized_shape": self.features,
            "eps": self.eps,
            "elementwise_affine": self._weight is not None,
            "bias": self._bias is not None,
            "dtype": self.dtype.name,
        }

    def _stage(self, states: StatesOf) -> tuple[Any, ...]:
        return ("layer_norm", self.features, self.eps, *self._learned(states))

    def __repr__(self) -> str:
        return (
            f"LayerNorm({self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self._weight is not None}, bias={self._bias is not None}, "
            f"dtype={self.dtype.name})"
        )
