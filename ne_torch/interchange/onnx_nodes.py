"""What each layer becomes in ONNX: its evaluation form, as nodes that take x and give y.

A Linear is a Gemm with transB = 1, so the file holds the weight as the layer does, (out_features,
in_features), under its name of state_dict. Gemm takes rows, (batch, in_features), as BatchNormalization and
the declared input do; MatMul would take any rank, but wants the weight transposed. ONNX keeps options such
as alpha and epsilon in float32; limits of Clip and Softplus are tensors of the model's dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ne_torch.activations import SELU, Hardtanh, LogSoftmax, ReLU6, SiLU, Softmax, Softplus
from ne_torch.embeddings import Embedding, TabularEmbedding
from ne_torch.interchange._onnx import plain_threshold
from ne_torch.interchange.onnx_activations import ACTIVATIONS
from ne_torch.linear import Linear
from ne_torch.normalization import BatchNorm1d, LayerNorm
from ne_torch.typing import Array

__all__ = ["NODES", "Nodes"]


class Nodes:
    """Nodes and initializers of a graph in the making."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self.onnx, self.dtype = onnx, dtype
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def tensor(self, name: str, values: Any) -> str:
        """Add an initializer, numbers in the model's dtype; return its name."""
        array = values if isinstance(values, np.ndarray) else np.array(values, self.dtype)
        self.initializers.append(self.onnx.numpy_helper.from_array(array.copy(order="C"), name))
        return name

    def node(self, kind: str, place: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        name = f"{place}{kind}.{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name


Emit = Callable[[Nodes, Any, str, str], str]  # nodes, layer, "place." or "", x; returns y


def _simple(kind: str, options: dict[str, tuple[str, Any]] | None = None, **attributes: Any) -> Emit:
    def emit(nodes: Nodes, layer: Any, place: str, x: str) -> str:
        given = {name: getattr(layer, option) for option, (name, _) in (options or {}).items()}
        return nodes.node(kind, place, x, **given, **attributes)

    return emit


def _linear(nodes: Nodes, layer: Linear, place: str, x: str) -> str:
    operands = [nodes.tensor(f"{place}weight", layer.weight)]
    if layer.bias is not None:
        operands.append(nodes.tensor(f"{place}bias", layer.bias))
    return nodes.node("Gemm", place, x, *operands, transB=1)


def _silu(nodes: Nodes, layer: SiLU, place: str, x: str) -> str:  # noqa: ARG001 - has no options
    return nodes.node("Mul", place, x, nodes.node("Sigmoid", place, x))


def _hardtanh(nodes: Nodes, layer: Hardtanh, place: str, x: str) -> str:
    low, high = (nodes.tensor(f"{place}{name}", layer.options[name]) for name in ("min_val", "max_val"))
    return nodes.node("Clip", place, x, low, high)


def _softplus(nodes: Nodes, layer: Softplus, place: str, x: str) -> str:
    beta, threshold = layer.numbers
    if beta == 1 and threshold == plain_threshold(nodes.dtype):
        return nodes.node("Softplus", place, x)
    factor, limit = (nodes.tensor(f"{place}{name}", layer.options[name]) for name in ("beta", "threshold"))
    scaled = nodes.node("Mul", place, x, factor)
    smooth = nodes.node("Div", place, nodes.node("Softplus", place, scaled), factor)
    return nodes.node("Where", place, nodes.node("Greater", place, scaled, limit), x, smooth)


def _affine(nodes: Nodes, layer: LayerNorm | BatchNorm1d, place: str) -> tuple[str, str]:
    """Return weight and bias; ones and zeros under names of their own where there are none."""
    weight = ("ones", np.ones(layer.features, nodes.dtype))
    bias = ("zeros", np.zeros(layer.features, nodes.dtype))
    weight = weight if layer.weight is None else ("weight", layer.weight)
    bias = bias if layer.bias is None else ("bias", layer.bias)
    return nodes.tensor(place + weight[0], weight[1]), nodes.tensor(place + bias[0], bias[1])


def _layer_norm(nodes: Nodes, layer: LayerNorm, place: str, x: str) -> str:
    scale, shift = _affine(nodes, layer, place)
    return nodes.node("LayerNormalization", place, x, scale, shift, axis=-1, epsilon=layer.eps)


def _batch_norm(nodes: Nodes, layer: BatchNorm1d, place: str, x: str) -> str:
    if layer.running_mean is None or layer.running_var is None:
        raise ValueError(
            f"export_onnx: expected running statistics, got {layer!r} at place {place[:-1]!r}, whose results "
            "depend on the batch"
        )
    scale, shift = _affine(nodes, layer, place)
    mean = nodes.tensor(f"{place}running_mean", layer.running_mean)
    var = nodes.tensor(f"{place}running_var", layer.running_var)
    momentum = None if layer.momentum is None else 1 - layer.momentum
    return nodes.node(
        "BatchNormalization", place, x, scale, shift, mean, var, epsilon=layer.eps, momentum=momentum
    )


def _embedding(nodes: Nodes, layer: Embedding, place: str, x: str) -> str:
    return nodes.node("Gather", place, nodes.tensor(f"{place}weight", layer.weight), x, axis=0)


def _tabular_embedding(nodes: Nodes, layer: TabularEmbedding, place: str, x: str) -> str:
    def columns(name: str, which: Any) -> str:
        index: Array = np.array(which, np.int64)
        return nodes.node("Gather", place, x, nodes.tensor(f"{place}{name}", index), axis=-1)

    parts = [columns("numbers", layer._numeric)] if layer._numeric else []
    for i, (column, inner) in enumerate(zip(layer.columns, layer.embeddings, strict=True)):
        codes = nodes.node("Cast", place, columns(f"column.{i}", column), to=nodes.onnx.TensorProto.INT64)
        parts.append(_embedding(nodes, inner, f"{place}embeddings.{i}.", codes))
    return nodes.node("Concat", place, *parts, axis=-1)


NODES: dict[type, Emit] = {
    **{kind: _simple(operator, options) for kind, (operator, options) in ACTIVATIONS.items()},
    Linear: _linear,
    SELU: _simple("Selu"),
    SiLU: _silu,
    Softplus: _softplus,
    Hardtanh: _hardtanh,
    ReLU6: _hardtanh,
    Softmax: _simple("Softmax", axis=-1),
    LogSoftmax: _simple("LogSoftmax", axis=-1),
    LayerNorm: _layer_norm,
    BatchNorm1d: _batch_norm,
    Embedding: _embedding,
    TabularEmbedding: _tabular_embedding,
}
