"""An ONNX graph as import reads it: one input, one output, constants by name, who takes what."""

from __future__ import annotations

from typing import Any

import numpy as np

from ne_torch.typing import Array

__all__ = ["Graph", "described", "shortest"]

_FLOATS, _INTEGERS = (1, 11), (6, 7)  # TensorProto: FLOAT, DOUBLE; INT32, INT64


class Graph:
    """A checked ONNX graph: nodes come after those whose outputs they take.

    Attributes
    ----------
    input, output : str
        The one tensor that comes in, and the one that goes out.
    rank : int or None
        How many axes the current tensor has, where the file says so.
    wide : bool
        Whether the graph computes in float64.
    read : int
        How many nodes have become layers.
    """

    def __init__(self, onnx: Any, proto: Any) -> None:
        graph, self._onnx = proto.graph, onnx
        _require_opset(proto)
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        inputs = [value for value in graph.input if value.name not in self.constants]
        if len(inputs) != 1 or len(graph.output) != 1:
            raise ValueError(
                "import_onnx: expected a graph of one input and one output, "
                f"got {len(inputs)} and {len(graph.output)}"
            )
        tensor = inputs[0].type.tensor_type
        if tensor.elem_type not in _FLOATS + _INTEGERS:
            raise TypeError(
                "import_onnx: expected an input of float32 or float64 (or int64 for an embedding), "
                f"got type {tensor.elem_type}"
            )
        self.integers = tensor.elem_type in _INTEGERS
        self.rank = len(tensor.shape.dim) if tensor.HasField("shape") else None
        self.input, self.output = inputs[0].name, graph.output[0].name
        self.wide = graph.output[0].type.tensor_type.elem_type == 11
        self.read = 0
        self.nodes = [node for node in graph.node if not self._is_constant(node)]
        strangers = [node for node in self.nodes if node.domain not in ("", "ai.onnx")]
        if strangers:
            raise TypeError(f"import_onnx: expected ONNX's own operators, got {described(strangers[0])}")
        self.takers: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.input):
                self.takers.setdefault(name, []).append(node)

    def _is_constant(self, node: Any) -> bool:
        if node.op_type != "Constant" or node.domain or [a.name for a in node.attribute] != ["value"]:
            return False
        self.constants[node.output[0]] = node.attribute[0].t
        return True

    def constant(self, node: Any, index: int) -> Array | None:
        """Return the constant that is a node's input, None where it has none; TypeError if it is computed."""
        name = node.input[index] if index < len(node.input) else ""
        if not name:
            return None
        if name not in self.constants:
            raise TypeError(f"import_onnx: expected constants beside x, got {described(node)} with {name!r}")
        tensor = self.constants[name]
        if tensor.data_type not in _FLOATS:
            raise TypeError(
                f"import_onnx: expected {name!r} of float32 or float64, got type {tensor.data_type}"
            )
        if tensor.data_location == self._onnx.TensorProto.EXTERNAL:
            raise ValueError(f"import_onnx: expected {name!r} in the file itself, got external data")
        try:
            array: Array = self._onnx.numpy_helper.to_array(tensor)
        except Exception as error:  # a damaged tensor fails in many ways
            raise ValueError(f"import_onnx: {name!r} is no valid tensor: {error}") from None
        return array

    def number(self, node: Any, index: int) -> float | None:
        """Return the constant of one element that is a node's input, or None; float32 as ``option`` does."""
        array = self.constant(node, index)
        if array is not None and array.size != 1:
            raise TypeError(
                f"import_onnx: expected one number, got {described(node)} with shape {array.shape}"
            )
        if array is None:
            return None
        value = float(array.reshape(()))
        return shortest(value) if array.dtype == np.float32 else value

    def option(self, node: Any, name: str, default: Any) -> Any:
        """Return an attribute; a float as the shortest decimal, for ONNX has rounded it to float32."""
        for attribute in node.attribute:
            if attribute.name == name:
                value = self._onnx.helper.get_attribute_value(attribute)
                value = value.decode() if isinstance(value, bytes) else value
                return shortest(value) if isinstance(value, float) else value
        return default

    def is_last(self, axis: int) -> bool:
        """Whether an axis is the last one of the current tensor."""
        return axis == -1 or (self.rank is not None and axis == self.rank - 1)


def shortest(value: float) -> float:
    """Return the shortest decimal that rounds to a number in float32."""
    return float(str(np.float32(value)))


def described(node: Any) -> str:
    """Return a node's operator, and its name or else its output."""
    return f"{node.op_type} {(node.name or ', '.join(node.output))!r}"


def _require_opset(proto: Any) -> None:
    versions = [opset.version for opset in proto.opset_import if opset.domain in ("", "ai.onnx")]
    if not versions or versions[0] < 13:
        raise ValueError(f"import_onnx: expected operators of opset 13 or later, got {versions}")
