"""An ONNX file as a model: a chain of nodes, with the forms of several nodes that export writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ne_torch.activations import SiLU, Softplus
from ne_torch.interchange._onnx import load_package
from ne_torch.interchange.onnx_graph import Graph, described
from ne_torch.interchange.onnx_layers import LAYERS, linear, refused
from ne_torch.linear import Linear
from ne_torch.residual import Residual
from ne_torch.sequential import Sequential

__all__ = ["import_onnx"]


def import_onnx(path: str | os.PathLike[str]) -> Sequential:
    """Read a chain of layers from an ONNX file (opset 13 or later).

    Gemm, MatMul with or without Add, the activations, softmax over the last axis, LayerNormalization,
    BatchNormalization of rows, Gather of a table, ``x * Sigmoid(x)``, and Add around them as ``Residual``.
    What ``export_onnx`` wrote comes back with the same weights to the bit, without its dropout and with
    nested Sequentials as one; a TabularEmbedding cannot be read. The weights are copies.

    Parameters
    ----------
    path : str or path-like
        The file; weights in files beside it are refused.

    Returns
    -------
    Sequential
        In eval mode, as the file is; ``train`` it to go on.

    Raises
    ------
    ValueError
        If the file is damaged, is older than opset 13, or has more than one input or output.
    TypeError
        If a node cannot be read; the message names the first one.
    ImportError
        Without the package onnx.

    Examples
    --------
    >>> import os, tempfile, ne_torch as nt
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nt.export_onnx(nt.Sequential(nt.SiLU()), os.path.join(folder, "net.onnx"))
    ...     nt.import_onnx(os.path.join(folder, "net.onnx"))
    Sequential(
      (0): SiLU()
    )
    """
    onnx = load_package("import_onnx")
    content = Path(path).read_bytes()
    try:
        proto = onnx.load_model_from_string(content)
        onnx.checker.check_model(proto)
    except Exception as error:  # protobuf's and the checker's have no common base
        raise ValueError(f"import_onnx: {os.fspath(path)!r} is no valid ONNX file: {error}") from None
    try:
        graph = Graph(onnx, proto)
        layers = _chain(graph, graph.input, graph.output)
    except UnicodeDecodeError as error:  # of a name, when it is read
        raise ValueError(f"import_onnx: {os.fspath(path)!r} is no valid ONNX file: {error}") from None
    except RecursionError:
        raise ValueError("import_onnx: expected fewer connections within one another") from None
    if graph.read != len(graph.nodes):
        raise ValueError(
            f"import_onnx: expected one chain, got {len(graph.nodes) - graph.read} nodes beside it"
        )
    return Sequential(*layers).eval()


def _chain(graph: Graph, x: str, end: str) -> list[Any]:
    """Return the layers that lead from the tensor x to the tensor end."""
    layers: list[Any] = []
    while x != end:
        layer, x = _layer(graph, x)
        layers.append(layer)
    return layers


def _layer(graph: Graph, x: str) -> tuple[Any, str]:
    """Return the layer that takes the tensor x, and the tensor that it gives."""
    takers = graph.takers.get(x, [])
    if not takers:
        raise ValueError(f"import_onnx: expected a chain that leads to the output, got its end at {x!r}")
    for read in (_residual, _silu, _softplus):
        found = read(graph, x, takers)
        if found is not None:
            return found
    node = takers[0]
    if len(takers) > 1 or node.op_type not in LAYERS:
        raise refused(node, f"a chain of {', '.join(LAYERS)}")
    if node.input[1 if node.op_type == "Gather" else 0 : 2][0] != x:
        raise refused(node, f"{x!r} as what is transformed")
    try:
        layer, y = LAYERS[node.op_type](graph, node), node.output[0]
    except ValueError as error:
        reason = str(error).removeprefix("import_onnx: ")
        raise ValueError(f"import_onnx: {described(node)}: {reason}") from None
    graph.read += 1
    return _with_bias(graph, layer, y) if node.op_type == "MatMul" else (layer, y)


def _with_bias(graph: Graph, layer: Linear, y: str) -> tuple[Linear, str]:
    """Return a Linear with the bias that the next node adds, where it does."""
    takers = graph.takers.get(y, [])
    if len(takers) != 1 or takers[0].op_type != "Add" or y == graph.output:
        return layer, y
    node = takers[0]
    other = 1 if node.input[0] == y else 0
    if node.input[other] not in graph.constants:
        return layer, y
    bias = graph.constant(node, other)
    if bias is None or bias.shape != (layer.out_features,):
        raise refused(node, f"a bias of shape ({layer.out_features},)")
    graph.read += 1
    return linear(node, layer.weight, bias), node.output[0]


def _residual(graph: Graph, x: str, takers: list[Any]) -> tuple[Any, str] | None:
    """``Add(x, f(x))``; where one stands within another, the outer one comes last."""
    sums = [node for node in takers if node.op_type == "Add" and not set(node.input) & graph.constants.keys()]
    if not sums:
        return None
    node = sums[-1]
    takers.remove(node)
    graph.read += 1
    inner = _chain(graph, x, node.input[1] if node.input[0] == x else node.input[0])
    return Residual(*inner), node.output[0]


def _silu(graph: Graph, x: str, takers: list[Any]) -> tuple[Any, str] | None:
    """``Mul(x, Sigmoid(x))``."""
    kinds = {node.op_type: node for node in takers}
    if len(takers) != 2 or kinds.keys() != {"Sigmoid", "Mul"}:
        return None
    gate, product = kinds["Sigmoid"].output[0], kinds["Mul"]
    if set(product.input) != {x, gate} or len(graph.takers[gate]) != 1:
        return None
    graph.read += 2
    return SiLU(), product.output[0]


def _softplus(graph: Graph, x: str, takers: list[Any]) -> tuple[Any, str] | None:
    """``s = Mul(x, beta); Where(Greater(s, threshold), x, Div(Softplus(s), beta))``."""
    if [node.op_type for node in takers] != ["Mul", "Where"]:
        return None
    product, choice = takers
    scaled = graph.takers.get(product.output[0], [])
    if [node.op_type for node in scaled] != ["Softplus", "Greater"]:
        return None
    smooth, greater = scaled
    after = graph.takers.get(smooth.output[0], [])
    if [node.op_type for node in after] != ["Div"] or product.input[0] != x:
        return None
    if [*choice.input] != [greater.output[0], x, after[0].output[0]] or after[0].input[1] != product.input[1]:
        return None
    beta, threshold = graph.number(product, 1), graph.number(greater, 1)
    if beta is None or threshold is None or greater.input[0] != product.output[0]:
        return None
    graph.read += 5
    return Softplus(beta, threshold), choice.output[0]
