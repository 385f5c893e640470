"""Samples as they are trained on and evaluated, checked once before."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from ne_torch import _core
from ne_torch.losses import Loss
from ne_torch.typing import Array, ArrayLike

__all__ = ["Samples", "samples", "validation_samples"]

Samples: TypeAlias = tuple[Array, Array, Array | None]
"""x, target, and the weights of the samples where there are any."""


def samples(
    model: Any, loss: Any, x: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None, place: str
) -> Samples:
    """Return all as arrays whose first axis counts the samples."""
    parameters = model.parameters() if hasattr(model, "parameters") else []
    dtype = parameters[0].dtype.name if parameters else None
    x, target = _core.as_array(x, place, "x", dtype), _target(loss, target, place, dtype)
    if x.ndim == 0 or target.ndim == 0 or len(x) != len(target):
        raise ValueError(
            f"{place}: expected x and target with the same number of rows, "
            f"got shapes {x.shape} and {target.shape}"
        )
    if len(x) == 0:
        raise ValueError(f"{place}: expected at least one row, got none")
    if sample_weight is None:
        return x, target, None
    weight = _core.as_array(sample_weight, place, "sample_weight", dtype)
    if weight.shape != x.shape[:-1]:
        raise ValueError(
            f"{place}: expected sample_weight of shape {x.shape[:-1]}, a weight for each sample, "
            f"got {weight.shape}"
        )
    return x, target, weight


def _target(loss: Any, target: ArrayLike, place: str, dtype: str | None) -> Array:
    """Return the target as the loss takes it: classes as int64, anything else in the model's dtype."""
    if not isinstance(loss, Loss) or loss.takes_classes:
        array = np.asarray(target)
        if array.dtype.kind in "iu":
            return np.ascontiguousarray(array, "int64")
    return _core.as_array(target, place, "target", dtype)


def validation_samples(model: Any, loss: Any, data: Any, place: str) -> Samples:
    """Return validation data as arrays."""
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        kind = type(data).__name__
        raise TypeError(
            f"{place}: expected validation_data as a pair (x, target), or with sample weights as a triple, "
            f"got another {kind}"
        )
    x, target, weight = (*data, None)[:3]
    return samples(model, loss, x, target, weight, f"{place}, validation_data")
