"""What a node of ONNX becomes: the layer that takes x alone and gives the node's first output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ne_torch.activations import SELU, Hardtanh, LogSoftmax, ReLU, ReLU6, SiLU, Softmax, Softplus
from ne_torch.embeddings import Embedding
from ne_torch.interchange._onnx import plain_threshold
from ne_torch.interchange.onnx_activations import ACTIVATIONS
from ne_torch.interchange.onnx_graph import Graph, described, shortest
from ne_torch.linear import Linear, unfilled
from ne_torch.normalization import BatchNorm1d, LayerNorm
from ne_torch.typing import Array

__all__ = ["LAYERS", "linear", "refused"]


def refused(node: Any, why: str) -> TypeError:
    """Return the error that names a node and what was expected of it."""
    return TypeError(f"import_onnx: expected {why}, got {described(node)}")


def linear(node: Any, weight: Array, bias: Array | None) -> Linear:
    """Return a Linear of a (out_features, in_features) weight."""
    if 0 in weight.shape:
        raise refused(node, "a weight that is not empty")
    layer = Linear(weight.shape[1], weight.shape[0], bias is not None, weight.dtype, init=unfilled)
    layer.weight = weight
    if bias is not None:
        layer.bias = bias
    return layer


def _gemm(graph: Graph, node: Any) -> Linear:
    option = graph.option
    weight = graph.constant(node, 1)
    if option(node, "transA", 0) or weight is None or weight.ndim != 2:
        raise refused(node, "transA = 0 and a matrix of constants")
    bias, alpha, beta = graph.constant(node, 2), option(node, "alpha", 1.0), option(node, "beta", 1.0)
    weight = weight if option(node, "transB", 0) else weight.T
    weight = weight if alpha == 1 else weight * weight.dtype.type(alpha)
    if bias is not None:
        if bias.shape not in ((), (1,), (1, 1), weight.shape[:1], (1, weight.shape[0])):
            raise refused(node, f"C of shape ({weight.shape[0]},), the same for every row")
        bias = np.broadcast_to(bias if beta == 1 else bias * bias.dtype.type(beta), (1, weight.shape[0]))[0]
    return linear(node, weight, bias)


def _matmul(graph: Graph, node: Any) -> Linear:
    weight = graph.constant(node, 1)
    if weight is None or weight.ndim != 2:
        raise refused(node, "x times a matrix of constants")
    return linear(node, weight.T, None)


def _selu(graph: Graph, node: Any) -> SELU:
    alpha, gamma = 1.6732632423543772, 1.0507009873554805
    given = graph.option(node, "alpha", alpha), graph.option(node, "gamma", gamma)
    if [np.float32(value) for value in given] != [np.float32(alpha), np.float32(gamma)]:
        raise refused(node, f"alpha={alpha} and gamma={gamma}")
    return SELU()


def _clip(graph: Graph, node: Any) -> Hardtanh | ReLU | ReLU6:
    low, high = graph.number(node, 1), graph.number(node, 2)
    if low == 0 and high in (None, 6.0):
        return ReLU() if high is None else ReLU6()
    if low is None or high is None or not low < high:
        raise refused(node, "a minimum below a maximum")
    return Hardtanh(low, high)


def _over_last_axis(kind: type[Softmax] | type[LogSoftmax]) -> Callable[[Graph, Any], Any]:
    def read(graph: Graph, node: Any) -> Any:
        if not graph.is_last(graph.option(node, "axis", -1)):
            raise refused(node, "the last axis")
        return kind()

    return read


def _swish(graph: Graph, node: Any) -> SiLU:
    if graph.option(node, "alpha", 1.0) != 1:
        raise refused(node, "alpha=1")
    return SiLU()


def _softplus(graph: Graph, node: Any) -> Softplus:  # noqa: ARG001 - has no options
    return Softplus(threshold=plain_threshold(np.float64 if graph.wide else np.float32))


def _vectors(graph: Graph, node: Any, count: int) -> list[Array | None]:
    """Return the inputs after x, which must be vectors of one length, the first of them given."""
    arrays = [graph.constant(node, index) for index in range(1, count + 1)]
    shapes = {array.shape for array in arrays if array is not None}
    if arrays[0] is None or arrays[0].ndim != 1 or not arrays[0].size or len(shapes) != 1:
        raise refused(node, "vectors of the length of the last axis")
    return arrays


def _absent(node: Any, index: int, array: Array | None, value: int) -> bool:
    """Whether export wrote ones or zeros for a parameter that a layer does not have."""
    name = ("zeros", "ones")[value]
    return array is None or (node.input[index].endswith(name) and bool((array == value).all()))


def _layer_norm(graph: Graph, node: Any) -> LayerNorm:
    weight, bias = _vectors(graph, node, 2)
    assert weight is not None
    if not graph.is_last(graph.option(node, "axis", -1)):
        raise refused(node, "the last axis")
    no_bias = _absent(node, 2, bias, 0)
    affine = not (no_bias and _absent(node, 1, weight, 1))
    eps = graph.option(node, "epsilon", 1e-5)
    layer = LayerNorm(len(weight), eps, affine, not no_bias, weight.dtype)
    if affine:
        layer.weight = weight
    if bias is not None and not no_bias:
        layer.bias = bias
    return layer


def _batch_norm(graph: Graph, node: Any) -> BatchNorm1d:
    arrays = _vectors(graph, node, 4)
    if any(array is None for array in arrays) or graph.option(node, "training_mode", 0):
        raise refused(node, "scale, bias, mean and variance, outside training mode")
    if graph.rank not in (None, 2):
        raise refused(node, "rows of features")
    weight, bias, mean, var = (np.asarray(array) for array in arrays)
    affine = not (_absent(node, 1, weight, 1) and _absent(node, 2, bias, 0))
    share = shortest(1 - graph.option(node, "momentum", 0.9))
    eps = graph.option(node, "epsilon", 1e-5)
    layer = BatchNorm1d(len(weight), eps, share, affine, dtype=weight.dtype)
    if affine:
        layer.weight, layer.bias = weight, bias
    layer.load_state_dict({**layer.state_dict(), "running_mean": mean, "running_var": var})
    return layer


def _gather(graph: Graph, node: Any) -> Embedding:
    table = graph.constant(node, 0)
    if table is None or table.ndim != 2 or 0 in table.shape or graph.option(node, "axis", 0):
        raise refused(node, "rows of a table of constants")
    if not graph.integers or node.input[1] != graph.input:
        raise refused(node, "an embedding of the input, integers")
    rows, columns = table.shape
    layer = Embedding(rows, columns, dtype=table.dtype, rng=0)
    layer.weight = table
    graph.integers = False
    graph.rank = None if graph.rank is None else graph.rank + 1
    return layer


def _simple(kind: type, options: dict[str, tuple[str, Any]]) -> Callable[[Graph, Any], Any]:
    def read(graph: Graph, node: Any) -> Any:
        return kind(**{option: graph.option(node, *named) for option, named in options.items()})

    return read


LAYERS: dict[str, Callable[[Graph, Any], Any]] = {
    **{operator: _simple(kind, options) for kind, (operator, options) in ACTIVATIONS.items()},
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Gather": _gather,
    "Gemm": _gemm,
    "LayerNormalization": _layer_norm,
    "LogSoftmax": _over_last_axis(LogSoftmax),
    "MatMul": _matmul,
    "Selu": _selu,
    "Softmax": _over_last_axis(Softmax),
    "Softplus": _softplus,
    "Swish": _swish,
}
