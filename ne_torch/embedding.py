"""Embeddings: rows of a table, looked up by number."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch._checks import float_dtype, positive_integer
from ne_torch._memory import aligned
from ne_torch.layer import Layer, Parameter
from ne_torch.random import RandomLike, as_generator
from ne_torch.typing import Array, ArrayLike, DTypeName

__all__ = ["Embedding", "TabularEmbedding"]


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
        codes = np.asarray(x)
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
        if self._saved is None:
            raise RuntimeError("Embedding: expected forward before backward; call forward(x) first")
        grad = _core.as_array(grad_output, "Embedding", "grad_output", self.dtype.name)
        expected = (*self._saved.shape, self.embedding_dim)
        if grad.shape != expected:
            raise ValueError(f"Embedding: expected grad_output of shape {expected}, got {grad.shape}")
        padding = -1 if self.padding_idx is None else self.padding_idx
        self._weight.grad = _core.embedding_backward(
            grad, self._saved, self.num_embeddings, padding, self.dtype.name, "Embedding"
        )
        return np.zeros(self._saved.shape, self.dtype)

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

    def __repr__(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"Embedding({self.num_embeddings}, {self.embedding_dim}{padding}, dtype={self.dtype.name})"


class TabularEmbedding(Layer):
    """Rows of numbers and categories: the numbers as they are, then an embedding of each category.

    Parameters
    ----------
    in_features : int
        Columns of a row.
    categories : dict
        ``{column: (num_embeddings, embedding_dim)}`` for the columns that hold a category, as a code from 0
        to num_embeddings - 1 (a number, in the dtype of the rest).
    dtype, rng
        As for ``Embedding``.

    Attributes
    ----------
    embeddings : tuple of Embedding
        In the order of their columns. Their tables are named ``embeddings.0.weight``, ``embeddings.1.weight``
        and so on, as those of a ``torch.nn.ModuleList`` of that name.
    in_features, out_features : int
        Columns that come in, and that go out.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as said.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> table = nt.TabularEmbedding(3, {1: (7, 4)}, rng=0)
    >>> y = table(np.array([[0.5, 6.0, -1.0]], dtype="float32"))
    >>> y.shape, y[0, :2].tolist()
    ((1, 6), [0.5, -1.0])
    """

    def __init__(
        self,
        in_features: int,
        categories: Mapping[int, tuple[int, int]],
        dtype: DTypeName = "float32",
        rng: RandomLike = None,
    ) -> None:
        self.in_features = positive_integer(in_features, "TabularEmbedding", "in_features")
        self.dtype: np.dtype[Any] = float_dtype(dtype, "TabularEmbedding")
        generator = as_generator(rng)
        self.columns = tuple(sorted(operator.index(column) for column in categories))
        if self.columns and not 0 <= self.columns[0] <= self.columns[-1] < self.in_features:
            raise ValueError(
                f"TabularEmbedding: expected columns from 0 to {self.in_features - 1}, got {self.columns}"
            )
        self.embeddings = tuple(
            Embedding(*categories[column], dtype=self.dtype, rng=generator) for column in self.columns
        )
        self._numeric = [column for column in range(self.in_features) if column not in self.columns]
        self.out_features = len(self._numeric) + sum(e.embedding_dim for e in self.embeddings)
        self._saved: tuple[int, ...] | None = None

    def forward(self, x: ArrayLike) -> Array:
        """Return rows of shape (..., out_features) for x of shape (..., in_features).

        Raises
        ------
        ValueError
            If the last axis has another length, or a code is none of its column's.
        TypeError
            If x has another dtype than the layer.
        """
        x = _core.as_array(x, "TabularEmbedding", "input", self.dtype.name)
        if x.ndim == 0 or x.shape[-1] != self.in_features:
            raise ValueError(
                f"TabularEmbedding: expected input of shape (..., {self.in_features}), got {x.shape}"
            )
        codes = [self._codes(x[..., c], c, e) for c, e in zip(self.columns, self.embeddings, strict=True)]
        looked_up = [e.forward(code) for e, code in zip(self.embeddings, codes, strict=True)]
        self._saved = x.shape
        return np.concatenate([x[..., self._numeric], *looked_up], axis=-1)

    def _codes(self, values: Array, column: int, embedding: Embedding) -> Array:
        last = embedding.num_embeddings - 1
        wrong = ~((values >= 0) & (values <= last) & (values == np.floor(values)))
        if wrong.any():
            raise ValueError(
                f"TabularEmbedding: expected codes from 0 to {last} in column {column}, "
                f"got {values[wrong].flat[0]}"
            )
        return values.astype(np.int64)

    def backward(self, grad_output: ArrayLike) -> Array:
        """Fill the gradients of the tables; return that of the input, 0 for the codes.

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        ValueError
            If the shape is not that of the last output.
        """
        if self._saved is None:
            raise RuntimeError("TabularEmbedding: expected forward before backward; call forward(x) first")
        grad = _core.as_array(grad_output, "TabularEmbedding", "grad_output", self.dtype.name)
        expected = (*self._saved[:-1], self.out_features)
        if grad.shape != expected:
            raise ValueError(f"TabularEmbedding: expected grad_output of shape {expected}, got {grad.shape}")
        begin = len(self._numeric)
        for embedding in self.embeddings:
            end = begin + embedding.embedding_dim
            embedding.backward(grad[..., begin:end])
            begin = end
        grad_input = np.zeros(self._saved, self.dtype)
        grad_input[..., self._numeric] = grad[..., : len(self._numeric)]
        return grad_input

    def _inner(self) -> dict[str, Any]:
        return {f"embeddings.{index}": embedding for index, embedding in enumerate(self.embeddings)}

    def __repr__(self) -> str:
        sizes = {
            column: (e.num_embeddings, e.embedding_dim)
            for column, e in zip(self.columns, self.embeddings, strict=True)
        }
        return f"TabularEmbedding({self.in_features}, {sizes}, dtype={self.dtype.name})"
