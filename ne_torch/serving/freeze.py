"""From a model to the stages of a predictor."""

from __future__ import annotations

from typing import Any

import numpy as np

from ne_torch.activations import Activation, Identity, LogSoftmax, ReLU, Softmax
from ne_torch.dropout import Dropout
from ne_torch.embeddings import TabularEmbedding
from ne_torch.linear import Linear
from ne_torch.normalization import BatchNorm1d, LayerNorm
from ne_torch.residual import Residual
from ne_torch.sequential import flatten
from ne_torch.serving.predictor import Predictor
from ne_torch.serving.quantize import FORMATS, to_bfloat16, to_int8
from ne_torch.serving.stages import (
    Dense,
    Elementwise,
    Lookup,
    Normalize,
    ScaleShift,
    Skip,
    Stage,
    pack,
    widths,
)

__all__ = ["freeze"]


def freeze(model: Any, weights: str) -> Predictor:
    """Return a predictor with a copy of a model's parameters: eval mode, whatever the model is in."""
    if weights not in FORMATS:
        raise ValueError(f"freeze: expected weights to be one of {list(FORMATS)}, got {weights!r}")
    layers = flatten(model)
    linears = _linears(layers)
    if not linears:
        raise ValueError(f"freeze: expected at least one Linear, got {model!r}")
    tables = {layer.dtype for layer in layers if type(layer) is TabularEmbedding}
    if len({layer.dtype for layer in linears} | tables) > 1:
        raise TypeError("freeze: expected layers of one dtype, got float32 and float64")
    if weights != "same" and linears[0].dtype != np.float32:
        raise TypeError(f"freeze: expected a float32 model for weights={weights!r}, got float64")
    return Predictor(_stages(layers, linears[0].in_features, weights), linears[0].dtype.name)


def _linears(layers: list[Any]) -> list[Linear]:
    """Return the Linear layers, those of a Residual included, in order."""
    found: list[Linear] = []
    for layer in layers:
        if type(layer) is Residual:
            found += _linears(_within(layer))
        elif type(layer) is Linear:
            found.append(layer)
    return found


def _within(residual: Residual) -> list[Any]:
    return [inner for layer in residual for inner in flatten(layer)]


def _stages(layers: list[Any], width: int, weights: str, depth: int = 0) -> list[Stage]:
    """Return the layers as stages for rows of a width; a ReLU goes into the dense stage before it.

    Connections around layers are kept in slot ``depth``.
    """
    stages: list[Stage] = []
    for index, layer in enumerate(layers):
        last = stages[-1] if stages else None
        if type(layer) is Dropout:
            continue
        if type(layer) is Linear:
            if layer.in_features != width:
                raise ValueError(
                    f"freeze: expected layer {index} with in_features={width}, the width of the layer "
                    f"before it, got in_features={layer.in_features}"
                )
            stages.append(_dense(layer, weights))
            width = layer.out_features
        elif type(layer) is TabularEmbedding:
            if stages or depth:
                where = "in a Residual" if depth else f"at place {index}"
                raise ValueError(
                    f"freeze: expected a TabularEmbedding as the first layer, got one {where}; freeze the "
                    "layers behind it, and call it before"
                )
            stages.append(_lookup(layer))
            width = layer.out_features
        elif type(layer) is ReLU and isinstance(last, Dense) and last.activation == "identity":
            stages[-1] = last._replace(activation="relu")
        elif isinstance(layer, Activation) and type(layer).__module__.startswith("ne_torch."):
            if type(layer) is not Identity:
                stages.append(Elementwise(layer.name, width, layer.numbers))
        elif type(layer) in (LayerNorm, BatchNorm1d):
            stages.append(_normalization(layer, index, width))
        elif type(layer) is Residual:
            inner = _stages(_within(layer), width, weights, depth + 1)
            if inner and widths(inner[-1])[1] != width:
                raise ValueError(
                    f"freeze: expected a Residual of layers that give {width} features, as they take, "
                    f"got {widths(inner[-1])[1]} at place {index}"
                )
            stages += [Skip("keep", width, depth), *inner, Skip("add_kept", width, depth)]
        elif type(layer) in (Softmax, LogSoftmax):
            stages.append(Elementwise(layer._kind, width))
        else:
            raise TypeError(
                f"freeze: expected layers of ne_torch, got {layer!r} at place {index}; freeze the layers "
                "before and after it, and call it in between"
            )
    return stages


def _normalization(layer: LayerNorm | BatchNorm1d, index: int, width: int) -> Stage:
    if layer.features != width:
        raise ValueError(
            f"freeze: expected layer {index} for {width} features, the width of the layer before it, "
            f"got {layer!r}"
        )
    if isinstance(layer, LayerNorm):
        weight, bias = (None if a is None else a.copy() for a in (layer.weight, layer.bias))
        return Normalize(width, layer.eps, weight, bias)
    if layer.running_mean is None:
        raise ValueError(
            f"freeze: expected running statistics, got {layer!r} at place {index}, whose results depend on "
            "the batch"
        )
    return ScaleShift(width, *layer.folded())


def _lookup(layer: TabularEmbedding) -> Lookup:
    return Lookup(layer.in_features, layer.columns, tuple(inner.weight.copy() for inner in layer.embeddings))


def _dense(layer: Linear, weights: str) -> Dense:
    weight, scale = layer.weight, None
    if weights == "bfloat16":
        weight = to_bfloat16(weight)
    elif weights == "int8":
        weight, scale = to_int8(weight)
    bias = None if layer.bias is None else layer.bias.copy()
    panels = pack(weight, layer.dtype)
    return Dense(layer.in_features, layer.out_features, "identity", panels, bias, scale)
