"""What may be passed to Trainer.fit and its like, checked once before anything is trained."""

from __future__ import annotations

from typing import Any, TypeAlias

from ne_torch import _core
from ne_torch.data import Batches, Scaled
from ne_torch.lr_scheduler import LRScheduler
from ne_torch.optimizers import LBFGS
from ne_torch.typing import Array, ArrayLike

__all__ = ["Rows", "checked_scheduler", "one_batch", "require_whole_batch", "samples", "training_data", "validation_pair"]

Rows: TypeAlias = "Array | Scaled"


def checked_scheduler(scheduler: Any, optimizer: Any) -> LRScheduler | None:
    """Return the scheduler of an optimizer; an error where it is none, or that of another."""
    if scheduler is None:
        return None
    if not isinstance(scheduler, LRScheduler):
        kind = type(scheduler).__name__
        raise TypeError(f"Trainer: expected a scheduler of ne_torch.lr_scheduler, got {kind}")
    if scheduler.optimizer is not optimizer:
        raise ValueError("Trainer: expected the scheduler of its optimizer, got that of another one")
    return scheduler


def require_whole_batch(
    optimizer: Any, batch_size: int, data: tuple[Rows, Array] | Batches, place: str
) -> None:
    """Raise ValueError where a solver for whole batches would see parts, each another function."""
    if not isinstance(optimizer, LBFGS):
        return
    if isinstance(data, Batches):
        raise ValueError(f"{place}: expected x and target as arrays for LBFGS, got Batches")
    rows = len(data[1])
    if batch_size < rows:
        raise ValueError(
            f"{place}: expected batch_size={rows} or more, all rows, for LBFGS, got {batch_size}"
        )


def training_data(model: Any, x: Any, target: Any, place: str) -> tuple[Rows, Array] | Batches:
    """Return what an epoch is made of."""
    if not isinstance(x, Batches):
        if target is None:
            raise TypeError(f"{place}: expected x and target, or ne_torch.data.Batches, got x alone")
        return samples(model, x, target, place)
    if target is not None:
        raise TypeError(f"{place}: expected no target beside Batches, whose batches are pairs (x, target)")
    return x


def one_batch(model: Any, x: ArrayLike) -> ArrayLike:
    """Return a batch as layers take it."""
    return x.astype(_dtype_of(model) or x.dtype)[:] if isinstance(x, Scaled) else x


def _dtype_of(model: Any) -> str | None:
    parameters = model.parameters() if hasattr(model, "parameters") else []
    return parameters[0].dtype.name if parameters else None


def samples(model: Any, x: ArrayLike, target: ArrayLike, place: str) -> tuple[Rows, Array]:
    """Return both with a first axis that counts the samples."""
    dtype = _dtype_of(model)
    x = x.astype(dtype or x.dtype) if isinstance(x, Scaled) else _core.as_array(x, place, "x", dtype)
    target = _core.as_array(target, place, "target", dtype)
    if x.ndim == 0 or target.ndim == 0 or len(x) != len(target):
        raise ValueError(
            f"{place}: expected x and target with the same number of rows, "
            f"got shapes {x.shape} and {target.shape}"
        )
    if len(x) == 0:
        raise ValueError(f"{place}: expected at least one row, got none")
    return x, target


def validation_pair(model: Any, pair: Any, place: str) -> tuple[Rows, Array]:
    """Return validation data as samples."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        kind = type(pair).__name__
        raise TypeError(f"{place}: expected validation_data as a pair (x, target), got another {kind}")
    x, target = pair
    return samples(model, x, target, f"{place}, validation_data")
