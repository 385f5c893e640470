"""What is trained on and evaluated, checked before it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from ne_torch import _core
from ne_torch.data import Batches, Scaled
from ne_torch.losses import Loss
from ne_torch.typing import Array, ArrayLike

__all__ = [
    "Arrays",
    "Samples",
    "Source",
    "Stream",
    "one_batch",
    "part_of",
    "samples",
    "source",
    "validation_source",
]

Arrays: TypeAlias = tuple[Array, Array, Array | None]
"""x, target, and the weights of the samples where there are any."""

Samples: TypeAlias = tuple[Array | Scaled, Array, Array | None]
"""The same with an x that may still be in bytes."""


class Stream:
    """The batches of ``Batches``, each checked when it is its turn."""

    def __init__(self, model: Any, loss: Any, batches: Batches, place: str) -> None:
        self._model, self._loss, self._batches, self._place = model, loss, batches, f"{place}, Batches"

    def epoch(self, number: int) -> Iterator[Samples]:
        """Yield the batches of an epoch."""
        columns: int | None = None
        for i, batch in enumerate(self._batches.epoch(number)):
            place = f"{self._place}, batch {i} of epoch {number}"
            checked = samples(self._model, self._loss, *batch, place)
            shape = checked[0].shape
            columns = shape[-1] if columns is None else columns
            if shape[-1] != columns and len(shape) > 1:
                raise ValueError(
                    f"{place}: expected x of shape (..., {columns}), as in those before, got {shape}"
                )
            yield checked
        if columns is None:
            raise ValueError(f"{self._place}: expected at least one batch in epoch {number}, got none")


Source: TypeAlias = Samples | Stream
"""What an epoch is made of."""


def source(
    model: Any, loss: Any, x: Any, target: ArrayLike | None, sample_weight: ArrayLike | None, place: str
) -> Source:
    """Return what a user passes as x and its companions."""
    if isinstance(x, Batches):
        if target is None and sample_weight is None:
            return Stream(model, loss, x, place)
        raise TypeError(
            f"{place}: expected no target or sample_weight beside Batches, whose batches are (x, target) or "
            "(x, target, sample_weight)"
        )
    if target is None:
        raise TypeError(f"{place}: expected x and target, or ne_torch.data.Batches, got x alone")
    return samples(model, loss, x, target, sample_weight, place)


def validation_source(model: Any, loss: Any, data: Any, place: str) -> Source:
    """Return what a user passes as validation data."""
    place = f"{place}, validation_data"
    if isinstance(data, Batches):
        return Stream(model, loss, data, place)
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        kind = type(data).__name__
        raise TypeError(
            f"{place}: expected a pair (x, target), or with sample weights a triple, or "
            f"ne_torch.data.Batches, got another {kind}"
        )
    x, target, weight = (*data, None)[:3]
    return samples(model, loss, x, target, weight, place)


def samples(
    model: Any, loss: Any, x: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None, place: str
) -> Samples:
    """Return all with a first axis that counts the samples."""
    dtype = _dtype_of(model)
    rows = x.astype(dtype or x.dtype) if isinstance(x, Scaled) else _core.as_array(x, place, "x", dtype)
    target = _target(loss, target, place, dtype)
    if rows.ndim == 0 or target.ndim == 0 or len(rows) != len(target):
        raise ValueError(
            f"{place}: expected x and target with the same number of rows, "
            f"got shapes {rows.shape} and {target.shape}"
        )
    if len(rows) == 0:
        raise ValueError(f"{place}: expected at least one row, got none")
    if sample_weight is None:
        return rows, target, None
    weight = _core.as_array(sample_weight, place, "sample_weight", dtype)
    if weight.shape != rows.shape[:-1]:
        raise ValueError(
            f"{place}: expected sample_weight of shape {rows.shape[:-1]}, a weight for each sample, "
            f"got {weight.shape}"
        )
    return rows, target, weight


def one_batch(model: Any, x: Scaled) -> Array:
    """Return a batch of bytes as layers take it."""
    return x.astype(_dtype_of(model) or x.dtype)[:]


def part_of(data: Samples, rows: slice | Array) -> Arrays:
    """Return some of the samples, converted."""
    x, target, weight = data
    return x[rows], target[rows], None if weight is None else weight[rows]


def _dtype_of(model: Any) -> str | None:
    parameters = model.parameters() if hasattr(model, "parameters") else []
    return parameters[0].dtype.name if parameters else None


def _target(loss: Any, target: ArrayLike, place: str, dtype: str | None) -> Array:
    """Return the target as the loss takes it: classes as int64, anything else in the model's dtype."""
    if not isinstance(loss, Loss) or loss.takes_classes:
        array = _core.numpy_view(target, place, "target")
        if array.dtype.kind in "iu":
            return np.ascontiguousarray(array, "int64")
    return _core.as_array(target, place, "target", dtype)
