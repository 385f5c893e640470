"""TabularEmbedding: rows of numbers and categories."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch._checks import float_dtype, positive_integer
from ne_torch.embeddings.embedding import Embedding
from ne_torch.layer import Layer, StatesOf
from ne_torch.random import RandomLike, as_generator
from ne_torch.typing import Array, ArrayLike, DTypeName

__all__ = ["TabularEmbedding"]


class TabularEmbedding(Layer):
    """Rows of numbers and categories: the numbers as they are, then an embedding of each category.

    As the first layer of a model it trains in the engine and freezes; anywhere else it trains layer by layer.
    A step on a number that is no code raises ``forward``'s ValueError and changes nothing; in ``Trainer.fit``
    the steps before it stand. So does a frozen model, whose ``out=`` is as it was then; exported C, which has
    no errors, gives NaN.

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
        numeric = self.in_features - len(self.columns)
        self.out_features = numeric + sum(e.embedding_dim for e in self.embeddings)
        self._saved: tuple[int, ...] | None = None

    @cached_property
    def _numeric(self) -> list[int]:
        # Made for the first input, which is as wide: files may tell widths that no memory has room for.
        coded = set(self.columns)
        return [column for column in range(self.in_features) if column not in coded]

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
        shape = self._kept(self._saved)
        grad = _core.as_array(grad_output, "TabularEmbedding", "grad_output", self.dtype.name)
        expected = (*shape[:-1], self.out_features)
        if grad.shape != expected:
            raise ValueError(f"TabularEmbedding: expected grad_output of shape {expected}, got {grad.shape}")
        begin = len(self._numeric)
        for embedding in self.embeddings:
            end = begin + embedding.embedding_dim
            embedding.backward(grad[..., begin:end])
            begin = end
        grad_input = np.zeros(shape, self.dtype)
        grad_input[..., self._numeric] = grad[..., : len(self._numeric)]
        return grad_input

    def _arguments(self) -> dict[str, Any]:
        return {
            "in_features": self.in_features,
            "categories": [
                [column, [embedding.num_embeddings, embedding.embedding_dim]]
                for column, embedding in zip(self.columns, self.embeddings, strict=True)
            ],
            "dtype": self.dtype.name,
        }

    def _stage(self, states: StatesOf) -> tuple[Any, ...]:
        tables = [embedding.named_parameters()["weight"] for embedding in self.embeddings]
        parts = [(table.data, states(table)) for table in tables]
        categories = tuple((column, *part) for column, part in zip(self.columns, parts, strict=True))
        return ("tabular_embedding", self.in_features, categories)

    def _inner(self) -> dict[str, Any]:
        return {f"embeddings.{index}": embedding for index, embedding in enumerate(self.embeddings)}

    def __repr__(self) -> str:
        sizes = {
            column: (e.num_embeddings, e.embedding_dim)
            for column, e in zip(self.columns, self.embeddings, strict=True)
        }
        return f"TabularEmbedding({self.in_features}, {sizes}, dtype={self.dtype.name})"
