"""Loss and metrics over data that is not trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from ne_torch import metrics as known
from ne_torch._mode import mode
from ne_torch.training.arguments import Rows
from ne_torch.typing import Array

__all__ = ["Metric", "evaluate", "named_metrics"]

Metric: TypeAlias = Callable[[Array, Array], float]

_ROWS = 1024  # of one forward pass


def evaluate(
    model: Any, loss: Any, x: Rows, target: Array, metrics: Mapping[str, Metric]
) -> tuple[float, dict[str, float]]:
    """Return the mean loss over all rows and the metrics of all predictions, in eval mode."""
    total, predictions = 0.0, []
    with mode(model, training=False):
        for begin in range(0, len(x), _ROWS):
            part = slice(begin, begin + _ROWS)
            prediction = model.forward(x[part])
            total += loss.forward(prediction, target[part]) * len(x[part])
            if metrics:
                predictions.append(prediction)
    if not metrics:
        return total / len(x), {}
    whole = np.concatenate(predictions)
    return total / len(x), {name: _number(name, metric(whole, target)) for name, metric in metrics.items()}


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
