"""Train or eval mode for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ne_torch.layer import Layer

__all__ = ["mode", "within"]


@contextmanager
def mode(model: Any, training: bool) -> Iterator[None]:
    """Have a model in train or eval mode; afterwards each of its layers is in the mode it was in."""
    layers = [layer for layer in within(model) if hasattr(layer, "training")]
    before = [layer.training for layer in layers]
    try:
        if hasattr(model, "train"):
            model.train(training)
        yield
    finally:
        for layer, was in zip(layers, before, strict=True):
            layer.training = was


def within(layer: Any) -> Iterator[Any]:
    """Yield a layer and all that it is made of, at any depth."""
    yield layer
    for inner in layer._inner().values() if isinstance(layer, Layer) else ():
        yield from within(inner)
