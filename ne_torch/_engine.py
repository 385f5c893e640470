"""Translates a model, its loss and its optimizer for the C++ engine, where the engine knows all of them."""

from __future__ import annotations

from typing import Any

from ne_torch import _core
from ne_torch.activations import ReLU, Softmax
from ne_torch.layer import Parameter
from ne_torch.linear import Linear
from ne_torch.losses import MSELoss
from ne_torch.optimizers import SGD
from ne_torch.sequential import Sequential

__all__ = ["make_engine"]


def make_engine(model: Any, loss: Any, optimizer: Any) -> _core.Engine | None:
    """Return an engine that trains as the three do layer by layer, to the bit; None if one is unknown to it.

    Types are compared exactly: a subclass may do anything in its forward.
    """
    layers = _flat(model)
    if type(loss) is not MSELoss or type(optimizer) is not SGD:
        return None
    if any(type(layer) not in (Linear, ReLU, Softmax) for layer in layers):
        return None
    linears = [layer for layer in layers if type(layer) is Linear]
    parameters = [parameter for layer in linears for parameter in layer.parameters()]
    learned = {id(parameter) for parameter in parameters}
    dtypes = {layer.dtype for layer in linears}
    if len(learned) < len(parameters) or learned != {id(p) for p in optimizer.params} or len(dtypes) != 1:
        return None
    velocities = dict(zip(map(id, optimizer.params), optimizer.velocity(), strict=True))
    described = [_described(layer, velocities) for layer in layers]
    return _core.Engine(dtypes.pop().name, described, optimizer._settings)


def _flat(layer: Any) -> list[Any]:
    return [inner for part in layer for inner in _flat(part)] if type(layer) is Sequential else [layer]


def _described(layer: Any, velocities: dict[int, Any]) -> tuple[Any, ...]:
    if type(layer) is not Linear:
        return (type(layer).__name__.lower(),)
    parameters: dict[str, Parameter] = layer.named_parameters()
    weight, bias = parameters["weight"], parameters.get("bias")
    return (
        "linear",
        weight.data,
        None if bias is None else bias.data,
        velocities[id(weight)],
        None if bias is None else velocities[id(bias)],
    )
