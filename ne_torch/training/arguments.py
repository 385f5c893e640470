"""How a Trainer may be made and asked to train, checked once before anything is trained."""

from __future__ import annotations

from typing import Any

from ne_torch.clipping import Clipping
from ne_torch.lr_scheduler import LRScheduler
from ne_torch.optimizers import LBFGS
from ne_torch.training.samples import Source, Stream

__all__ = ["checked_clipping", "checked_scheduler", "reduced", "require_whole_batch"]


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


def require_whole_batch(optimizer: Any, batch_size: int, data: Source, place: str) -> None:
    """Raise ValueError where a solver for whole batches would see parts, each another function."""
    if not isinstance(optimizer, LBFGS):
        return
    if isinstance(data, Stream):
        raise ValueError(f"{place}: expected x and target as arrays for LBFGS, got Batches")
    rows = len(data[1])
    if batch_size < rows:
        raise ValueError(
            f"{place}: expected batch_size={rows} or more, all rows, for LBFGS, got {batch_size}"
        )


def reduced(loss: Any, place: str) -> Any:
    """Return the loss; ValueError where it is no number to train on."""
    if getattr(loss, "reduction", "mean") == "none":
        raise ValueError(f'{place}: expected a loss with reduction "mean" or "sum", got {loss!r}')
    return loss
