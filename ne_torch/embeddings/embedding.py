"""Embedding: rows of a table, looked up by number."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch._checks import float_dtype, positive_integer
from ne_torch._memory import aligned
from ne_torch.layer import Layer, Parameter
from ne_torch.random import RandomLike, as_generator
from ne_torch.typing import Array, ArrayLike, DTypeName

__all__ = ["Embedding"]


class Embedding(Layer):
    """``y = weight[x]``: the row of a table for each integer of x.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Rows and columns of the table; its numbers start normal, with mean 0 and deviation 1.
    padding_idx : int, optional
        A row that starts as zeros and whose gradient is 0; negative ones count from the end.
    dtype : {"float32", "float64"}, default "float32"
        Precision of the table.
    rng : int, Generator, numpy.random.Generator or None
        Where the initial table comes from.

    Attributes
    ----------
    weight : ndarray of shape (num_embeddings, embedding_dim)
        Live, writable in place.
    grad_weight : ndarray or None
        Of row i the sum over all places with x = i, in their order.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as said.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> embedding = nt.Embedding(10, 3, rng=0)
    >>> embedding([[1, 2, 4], [4, 3, 2]]).shape
    (2, 3, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        dtype: DTypeName = "float32",
        rng: RandomLike = None,
    ) -> None:
        self.num_embeddings = positive_integer(num_embeddings, "Embedding", "num_embeddings")
        self.embedding_dim = positive_integer(embedding_dim, "Embedding", "embedding_dim")
        self.dtype: np.dtype[Any] = float_dtype(dtype, "Embedding")
        self.padding_idx = None if padding_idx is None else self._row(padding_idx)
        shape = (self.num_embeddings, self.embedding_dim)
        self._weight = Parameter(aligned(as_generator(rng).normal(shape, 1.0, self.dtype.name)))
        if self.padding_idx is not None:
            self._weight.data[self.padding_idx] = 0
        self._saved: Array | None = None

    def _row(self, index: Any) -> int:
        row = operator.index(index)
        if not -self.num_embeddings <= row < self.num_embeddings:
            raise ValueError(
                f"Embedding: expected padding_idx within {self.num_embeddings} embeddings, got {row}"
            )
        return row % self.num_embeddings

    def forward(self, x: ArrayLike) -> Array:
        """Return the rows of shape (..., embedding_dim) for x of shape (...), integers.

        Raises
        ------
        TypeError
            If x is not of integers.
        ValueError
            If one is not from 0 to num_embeddings - 1.
        """
        codes = (
            np.from_dlpack(x) if not hasattr(x, "__array__") and hasattr(x, "__dlpack__") else np.asarray(x)
        )
        if codes.dtype.kind not in "iu":
            raise TypeError(f"Embedding: expected x of integers, got {codes.dtype}")
        outside = (codes < 0) | (codes >= self.num_embeddings)
        if outside.any():
            raise ValueError(
                f"Embedding: expected x from 0 to {self.num_embeddings - 1}, got {codes[outside].flat[0]}"
            )
        self._saved = codes.astype(np.int64, order="C")
        rows: Array = self._weight.data[self._saved]
        return rows

    def backward(self, grad_output: ArrayLike) -> Array:
        """Fill ``grad_weight``; return zeros of the shape of x, for integers have no gradient.

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        ValueError
            If the shape is not that of the last output.
        """
        codes = self._kept(self._saved)
        grad = _core.as_array(grad_output, "Embedding", "grad_output", self.dtype.name)
        expected = (*codes.shape, self.embedding_dim)
        if grad.shape != expected:
            raise ValueError(f"Embedding: expected grad_output of shape {expected}, got {grad.shape}")
        padding = -1 if self.padding_idx is None else self.padding_idx
        self._weight.grad = _core.embedding_backward(
            grad, codes, self.num_embeddings, padding, self.dtype.name, "Embedding"
        )
        return np.zeros(codes.shape, self.dtype)

    def named_parameters(self) -> dict[str, Parameter]:
        """Return the table as ``weight``."""
        return {"weight": self._weight}

    @property
    def weight(self) -> Array:
        """The table; an assignment copies values into it."""
        return self._weight.data

    @weight.setter
    def weight(self, value: ArrayLike) -> None:
        self.load_state_dict({"weight": value})

    @property
    def grad_weight(self) -> Array | None:
        """The gradient of the loss with respect to ``weight``, after a backward pass."""
        return self._weight.grad

    def _arguments(self) -> dict[str, Any]:
        return {
            "num_embeddings": self.num_embeddings,
            "embedding_dim": self.embedding_dim,
            "padding_idx": self.padding_idx,
            "dtype": self.dtype.name,
        }

    def __repr__(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"Embedding({self.num_embeddings}, {self.embedding_dim}{padding}, dtype={self.dtype.name})"
