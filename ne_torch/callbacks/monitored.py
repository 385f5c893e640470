"""Which epoch was the best: a function of the history, so that being told an epoch twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from ne_torch.history import History

__all__ = ["best_epoch", "direction"]

_SMALL = ("loss", "error", "seconds")
_LARGE = ("accuracy", "r2", "f1", "precision", "recall")


def direction(mode: str, monitor: str, place: str) -> float:
    """Return 1 where small numbers are good, -1 where large ones are."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f'{place}: expected mode to be "auto", "min" or "max", got {mode!r}')
    if mode == "min" or (mode == "auto" and monitor.endswith(_SMALL)):
        return 1.0
    if mode == "max" or monitor.endswith(_LARGE):
        return -1.0
    raise ValueError(
        f'{place}: expected mode "min" or "max" for monitor={monitor!r}, whose name does not tell whether '
        "small or large is good"
    )


def best_epoch(values: Sequence[float], sign: float, min_delta: float = 0.0) -> int | None:
    """Return the last epoch that was better by more than min_delta than all before; None if there is none."""
    best, found = float("inf"), None
    for epoch, value in enumerate(values):
        if sign * value < best - min_delta:  # false for a NaN
            best, found = sign * value, epoch
    return found


def monitored(history: History, monitor: str, epoch: int) -> list[float]:
    """Return the column up to an epoch."""
    return history.columns()[monitor][: epoch + 1]
