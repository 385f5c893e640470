"""What a model is made of, without its weights, as plain data that JSON can carry; and the model made of it.

    {"class": "Linear", "arguments": {"in_features": 4, "out_features": 8, "bias": true, "dtype": "float32"}}

``layers`` are those of a Sequential or a Residual, each described alike; ``training`` is there where it is
False. Seeds are left out: a model that is made again drops other elements.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ne_torch import activations
from ne_torch.dropout import Dropout
from ne_torch.embeddings import Embedding, TabularEmbedding
from ne_torch.layer import Layer
from ne_torch.linear import Linear, unfilled
from ne_torch.normalization import BatchNorm1d, LayerNorm
from ne_torch.residual import Residual
from ne_torch.sequential import Sequential

__all__ = ["build", "describe"]

_ACTIVATIONS = [
    kind
    for kind in vars(activations).values()
    if isinstance(kind, type) and issubclass(kind, Layer) and kind is not activations.Activation
]
_CLASSES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (*_ACTIVATIONS, BatchNorm1d, Dropout, Embedding, LayerNorm, Linear, TabularEmbedding)
}
_CHAINS = {"Sequential": Sequential, "Residual": Residual}
_ALL = {**_CLASSES, **_CHAINS}
_DEEPEST = 32  # chains in chains


def describe(model: Any, place: str) -> dict[str, Any]:
    """Return the description of a model.

    Raises
    ------
    TypeError
        If a layer is none of this package.
    ValueError
        If a layer stands in two places.
    """
    layers: list[Any] = []
    told = _described(model, place, "the model", layers)
    if len({id(layer) for layer in layers}) < len(layers):
        raise ValueError(
            f"{place}: expected every layer once, got one of them twice; give each place a layer of its own"
        )
    return told


def _described(layer: Any, place: str, name: str, seen: list[Any]) -> dict[str, Any]:
    kind = type(layer).__name__
    if type(layer) is not _ALL.get(kind):
        raise TypeError(f"{place}: expected layers of ne_torch, got {kind} as {name}")
    told: dict[str, Any] = {"class": kind}
    if kind in _CHAINS:
        inner = enumerate(layer)
        told["layers"] = [_described(part, place, f"layer {i} of {name}", seen) for i, part in inner]
    else:
        seen.append(layer)
        told["arguments"] = layer._arguments()
    return told if layer.training else {**told, "training": False}


def build(told: Any, most: int) -> Any:
    """Return the model of a description; what it learns and keeps is there to be overwritten.

    Parameters
    ----------
    told : dict
        As ``describe`` gives it, but from anywhere.
    most : int
        How many numbers its layers may learn together: no memory is taken for more.

    Raises
    ------
    ValueError
        If it describes no model, or a larger one.
    """
    try:
        _require(_size(told, _DEEPEST) <= most, "at most", most, "numbers, got more")
        return _built(told)
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"expected the description of a model, got {error}") from None


def _built(told: Any) -> Any:
    kind = told["class"]
    if kind in _CHAINS:
        model = _CHAINS[kind](*(_built(layer) for layer in told["layers"]))
    else:
        arguments = dict(told["arguments"])
        if kind == "Linear":
            arguments["init"] = unfilled
        if kind == "TabularEmbedding":
            arguments["categories"] = dict(arguments["categories"])
        model = _CLASSES[kind](**arguments)
    model.training = bool(told.get("training", True))
    return model


def _size(told: Any, deepest: int) -> int:
    """Return how many numbers the largest arrays of a description have, before any is made."""
    kind = told["class"]
    if kind in _CHAINS:
        _require(deepest > 0, "chains in at most", _DEEPEST, "chains, got more")
        return sum(_size(layer, deepest - 1) for layer in told["layers"])
    _require(kind in _CLASSES, "the class of a layer of ne_torch, got", repr(kind))
    arguments = told["arguments"]
    _require(isinstance(arguments, dict), "arguments by name, got", repr(arguments))
    return sum(math.prod(sizes) for sizes in _shapes(kind, arguments))


def _shapes(kind: str, arguments: Mapping[str, Any]) -> Iterable[tuple[int, ...]]:
    if kind == "Linear":
        yield _whole(arguments["in_features"]), _whole(arguments["out_features"])
    elif kind == "Embedding":
        yield _whole(arguments["num_embeddings"]), _whole(arguments["embedding_dim"])
    elif kind == "TabularEmbedding":
        for _, (rows, dim) in arguments["categories"]:
            yield _whole(rows), _whole(dim)
    elif kind == "LayerNorm" and arguments["elementwise_affine"]:
        yield (_whole(arguments["normalized_shape"]),)
    elif kind == "BatchNorm1d" and (arguments["affine"] or arguments["track_running_stats"]):
        yield (_whole(arguments["num_features"]),)


def _whole(value: Any) -> int:
    _require(type(value) is int and value > 0, "a size, got", repr(value))
    return int(value)


def _require(holds: bool, *expected: object) -> None:
    if not holds:
        raise ValueError("expected " + " ".join(str(part) for part in expected))
