"""What may be passed to Trainer.fit and its like, checked once before anything is trained."""

from __future__ import annotations

from typing import Any

from ne_torch import _core
from ne_torch.clipping import Clipping
from ne_torch.lr_scheduler import LRScheduler
from ne_torch.optimizers import LBFGS
from ne_torch.typing import Array, ArrayLike

__all__ = ["checked_clipping", "checked_scheduler", "require_whole_batch", "samples", "validation_pair"]


def checked_clipping(norm: Any, value: Any, optimizer: Any) -> Clipping:
    """Return how gradients are clipped; ValueError where they cannot be."""
    clipping = Clipping.checked(norm, value)
    if clipping != Clipping() and isinstance(optimizer, LBFGS):
        raise ValueError("Trainer: expected no clipping with LBFGS, whose line search needs true gradients")
    return clipping


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


def require_whole_batch(optimizer: Any, batch_size: int, rows: int, place: str) -> None:
    """Raise ValueError where a solver for whole batches would see parts, each another function."""
    if isinstance(optimizer, LBFGS) and batch_size < rows:
        raise ValueError(
            f"{place}: expected batch_size={rows} or more, all rows, for LBFGS, got {batch_size}"
        )


def samples(model: Any, x: ArrayLike, target: ArrayLike, place: str) -> tuple[Array, Array]:
    """Return both as arrays whose first axis counts the samples."""
    parameters = model.parameters() if hasattr(model, "parameters") else []
    dtype = parameters[0].dtype.name if parameters else None
    x, target = _core.as_array(x, place, "x", dtype), _core.as_array(target, place, "target", dtype)
    if x.ndim == 0 or target.ndim == 0 or len(x) != len(target):
        raise ValueError(
            f"{place}: expected x and target with the same number of rows, "
            f"got shapes {x.shape} and {target.shape}"
        )
    if len(x) == 0:
        raise ValueError(f"{place}: expected at least one row, got none")
    return x, target


def validation_pair(model: Any, pair: Any, place: str) -> tuple[Array, Array]:
    """Return validation data as two arrays."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        kind = type(pair).__name__
        raise TypeError(f"{place}: expected validation_data as a pair (x, target), got another {kind}")
    x, target = pair
    return samples(model, x, target, f"{place}, validation_data")
