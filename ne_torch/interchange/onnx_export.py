"""A model as an ONNX file, in its evaluation form."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ne_torch._files import write_atomically
from ne_torch._mode import within
from ne_torch.dropout import Dropout
from ne_torch.embeddings import Embedding
from ne_torch.interchange._onnx import IR_VERSION, OPSET, load_package
from ne_torch.interchange.onnx_nodes import NODES, Nodes
from ne_torch.residual import Residual
from ne_torch.sequential import Sequential

__all__ = ["export_onnx"]


def export_onnx(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a model as ONNX (opset 20), in its evaluation form: dropout is left out.

    The graph takes ``"input"`` of shape (batch, in_features), or of shape (batch,) and int64 where the first
    layer is an ``Embedding``, and gives ``"output"``; the batch is of any size. Initializers have the names
    of ``state_dict``. ONNX keeps options such as ``negative_slope`` and ``eps`` in float32, so those of a
    float64 model are rounded once; a model without any dtype is written as float32.

    Parameters
    ----------
    model : Layer
        A layer of ne_torch, such as a Sequential of them, nested or with ``Residual``.
    path : str or path-like
        The file, written all or not at all.

    Raises
    ------
    TypeError
        If a layer is not one of this package, or dtypes are mixed.
    ValueError
        If widths do not fit, a BatchNorm1d has no running statistics, or an Embedding is not the first layer.
    ImportError
        Without the package onnx.

    Examples
    --------
    >>> import os, tempfile, ne_torch as nt
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nt.export_onnx(nt.Sequential(nt.Linear(2, 3), nt.ReLU()), os.path.join(folder, "net.onnx"))
    ...     nt.import_onnx(os.path.join(folder, "net.onnx"))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True, dtype=float32)
      (1): ReLU()
    )
    """
    onnx = load_package("export_onnx")
    dtype = _dtype(model)
    chain = _Chain(Nodes(onnx, dtype))
    output = chain.add(model, "", "input")
    proto = _model(onnx, chain, output, dtype)
    onnx.checker.check_model(proto, full_check=True)
    write_atomically(path, proto.SerializeToString())


class _Chain:
    """Layers as nodes, with the widths of the rows between them."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self.codes = False  # whether the input is of integers
        self.first: int | None = None
        self.width: int | None = None

    def add(self, layer: Any, place: str, x: str) -> str:
        """Add a layer, and those in it, that takes the tensor x; return the tensor that it gives."""
        if type(layer) is Dropout:
            return x
        if type(layer) in (Sequential, Residual):
            before, y = self.width, x
            for index, inner in enumerate(layer):
                y = self.add(inner, f"{place}{index}.", y)
            return y if type(layer) is Sequential else self._sum(place, x, y, before)
        if type(layer) not in NODES:
            raise TypeError(
                f"export_onnx: expected layers of ne_torch, got {type(layer).__name__} "
                f"at place {place[:-1]!r}"
            )
        if type(layer) is Embedding:
            self._codes(place, x)
        self._widths(layer, place)
        return NODES[type(layer)](self.nodes, layer, place, x)

    def _codes(self, place: str, x: str) -> None:
        if x != "input":
            raise ValueError(
                f"export_onnx: expected an Embedding as the first layer, got one at place {place[:-1]!r}"
            )
        self.codes = True

    def _widths(self, layer: Any, place: str) -> None:
        width = getattr(layer, "in_features", getattr(layer, "features", None))
        if width is not None and width != (width if self.width is None else self.width):
            raise ValueError(
                f"export_onnx: expected a layer for {self.width} features, the width of the layer before it, "
                f"got {layer!r} at place {place[:-1]!r}"
            )
        if self.first is None:
            self.first = width
        given = getattr(layer, "out_features", getattr(layer, "embedding_dim", width))
        self.width = self.width if given is None else given

    def _sum(self, place: str, x: str, y: str, before: int | None) -> str:
        before = self.first if before is None else before
        if self.codes and x == "input":
            raise ValueError(f"export_onnx: expected floats, got a Residual of codes at place {place[:-1]!r}")
        if before != self.width:
            raise ValueError(
                f"export_onnx: expected a Residual of layers that give {before} features, as they take, "
                f"got {self.width} at place {place[:-1]!r}"
            )
        return self.nodes.node("Add", place, x, y)


def _model(onnx: Any, chain: _Chain, output: str, dtype: np.dtype[Any]) -> Any:
    """Return the model of a chain, whose last tensor becomes "output"."""
    nodes, kind = chain.nodes, onnx.helper.np_dtype_to_tensor_dtype(dtype)
    if output == "input":
        nodes.node("Identity", "", "input")
    nodes.nodes[-1].output[0] = "output"
    rows = ["batch"] if chain.codes else ["batch", chain.first or "features"]
    taken = onnx.TensorProto.INT64 if chain.codes else kind
    info = onnx.helper.make_tensor_value_info
    outputs = [info("output", kind, ["batch", chain.width or "features"])]
    graph = onnx.helper.make_graph(
        nodes.nodes, "ne_torch", [info("input", taken, rows)], outputs, nodes.initializers
    )
    opset = onnx.helper.make_opsetid("", OPSET)
    return onnx.helper.make_model(
        graph, producer_name="ne_torch", opset_imports=[opset], ir_version=IR_VERSION
    )


def _dtype(model: Any) -> np.dtype[Any]:
    """Return the dtype of a model's layers; float32 where none has one."""
    dtypes = {layer.dtype for layer in within(model) if hasattr(layer, "dtype")}
    if len(dtypes) > 1:
        raise TypeError("export_onnx: expected layers of one dtype, got float32 and float64")
    return dtypes.pop() if dtypes else np.dtype(np.float32)
