"""Loss and metrics over data that is not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from ne_torch import metrics as known
from ne_torch._mode import mode
from ne_torch.losses import Loss
from ne_torch.training.samples import Arrays, Source, Stream, part_of
from ne_torch.typing import Array

__all__ = ["Metric", "evaluate", "named_metrics", "require_fit"]

Metric: TypeAlias = Callable[[Array, Array], float]

_ROWS = 1024  # of one forward pass


def evaluate(
    model: Any, loss: Any, data: Source, metrics: Mapping[str, Metric]
) -> tuple[float, dict[str, float]]:
    """Return the loss over all rows, as if they were one batch, and the metrics of all predictions.

    In eval mode. A loss of a user's own tells no more than the value of a batch: its mean over the rows.
    """
    total, divisor, predictions, targets = 0.0, 0.0, [], []
    with mode(model, training=False):
        for x, target, weight in _parts(data):
            prediction = model.forward(x)
            operands = (prediction, target, *(() if weight is None else (weight,)))
            sum_of_part, rows = _total(loss, operands)
            total, divisor = total + sum_of_part, divisor + rows
            if metrics:
                predictions.append(prediction)
                targets.append(target)
    if getattr(loss, "reduction", "mean") == "sum":
        divisor = 1.0
    value = total / divisor if divisor != 0 else float("nan")
    if not metrics:
        return value, {}
    whole = np.concatenate(predictions), np.concatenate(targets)
    return value, {name: _number(name, metric(*whole)) for name, metric in metrics.items()}


def require_fit(model: Any, loss: Any, data: Source) -> None:
    """Raise what evaluating would raise on the first rows, before anything is trained."""
    first = next(data.epoch(0)) if isinstance(data, Stream) else data
    evaluate(model, loss, part_of(first, slice(2)), {})


def _parts(data: Source) -> Iterator[Arrays]:
    for batch in data.epoch(0) if isinstance(data, Stream) else [data]:
        for begin in range(0, len(batch[0]), _ROWS):
            yield part_of(batch, slice(begin, begin + _ROWS))


def _total(loss: Any, operands: tuple[Array, ...]) -> tuple[float, float]:
    """Return the sum of the losses of a batch, and what the mean divides it by."""
    if isinstance(loss, Loss) and type(loss).forward is Loss.forward:
        return loss._total(*operands)
    rows = len(operands[0])
    summed = getattr(loss, "reduction", "mean") == "sum"
    return loss.forward(*operands) * (1 if summed else rows), rows


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"Trainer.fit: expected metric {name!r} to return a number, got {type(value).__name__}"
        ) from None


def named_metrics(metrics: Any, place: str) -> dict[str, Metric]:
    """Return metrics by name, for what a user may pass: names, functions, or a dict of functions."""
    if metrics is None:
        return {}
    if isinstance(metrics, str) or callable(metrics):
        metrics = [metrics]
    pairs = list(metrics.items()) if isinstance(metrics, Mapping) else [_named(m, place) for m in metrics]
    for name, metric in pairs:
        if not callable(metric):
            raise TypeError(f"{place}: expected metric {name!r} to be callable, got {metric!r}")
        if name == "loss":
            raise ValueError(f'{place}: expected another name for a metric than "loss"')
    if len(dict(pairs)) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{place}: expected metrics of different names, got {names}; name them in a dict")
    return dict(pairs)


def _named(metric: Any, place: str) -> tuple[str, Any]:
    if isinstance(metric, str):
        if metric not in known.__all__:
            raise ValueError(f"{place}: expected a metric of {sorted(known.__all__)}, got {metric!r}")
        return metric, getattr(known, metric)
    name = getattr(metric, "__name__", type(metric).__name__)
    return name, metric
