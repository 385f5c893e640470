"""Translates a model, its loss and its optimizer for the C++ engine, where the engine knows all of them."""

from __future__ import annotations

from typing import Any

from ne_torch import _core
from ne_torch.activations import Activation, Softmax
from ne_torch.layer import Parameter
from ne_torch.linear import Linear
from ne_torch.losses import Loss
from ne_torch.optimizers import Optimizer
from ne_torch.sequential import flatten

__all__ = ["make_engine"]


def make_engine(model: Any, loss: Any, optimizer: Any) -> _core.Engine | None:
    """Return an engine that trains as the three do layer by layer, to the bit; None if one is unknown to it.

    A class of a user's own is unknown, a subclass too: it may do anything in its forward.
    """
    layers = flatten(model)
    if not _is_ours(loss, Loss) or not _is_ours(optimizer, Optimizer):
        return None
    if not all(_is_ours(layer, (Linear, Activation, Softmax)) for layer in layers):
        return None
    linears = [layer for layer in layers if type(layer) is Linear]
    parameters = [parameter for layer in linears for parameter in layer.parameters()]
    learned = {id(parameter) for parameter in parameters}
    dtypes = {layer.dtype for layer in linears}
    if len(learned) < len(parameters) or learned != {id(p) for p in optimizer.params} or len(dtypes) != 1:
        return None
    states = dict(zip(map(id, optimizer.params), optimizer.states(), strict=True))
    described = [_described(layer, states) for layer in layers]
    return _core.Engine(dtypes.pop().name, described, loss.name, optimizer._settings)


def _is_ours(part: Any, kinds: Any) -> bool:
    return isinstance(part, kinds) and type(part).__module__.startswith("ne_torch.")


def _described(layer: Any, states: dict[int, Any]) -> tuple[Any, ...]:
    if isinstance(layer, Activation):
        return ("activation", layer.name)
    if isinstance(layer, Softmax):
        return ("softmax",)
    parameters: dict[str, Parameter] = layer.named_parameters()
    weight, bias = parameters["weight"], parameters.get("bias")
    return (
        "linear",
        weight.data,
        None if bias is None else bias.data,
        states[id(weight)],
        () if bias is None else states[id(bias)],
    )
