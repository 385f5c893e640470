"""Translates a model, its loss and its optimizer for the C++ engine, where the engine knows all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ne_torch import _core
from ne_torch._mode import within
from ne_torch.clipping import Clipping
from ne_torch.layer import Layer, StatesOf
from ne_torch.losses import Loss
from ne_torch.optimizers import Optimizer
from ne_torch.sequential import flatten

__all__ = ["describe", "make_engine"]


def make_engine(model: Any, loss: Any, optimizer: Any, clipping: Clipping) -> _core.Engine | None:
    """Return an engine that trains as the three do layer by layer, to the bit; None if one is unknown to it.

    A class of a user's own is unknown, a subclass too: it may do anything in its forward.
    """
    layers = flatten(model)
    if not _is_ours(loss, Loss) or not _is_ours(optimizer, Optimizer):
        return None
    if not all(_is_ours(layer, Layer) for layer in within(model)):
        return None
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    learned = {id(parameter) for parameter in parameters}
    dtypes = {parameter.dtype for parameter in parameters}
    dtypes |= {layer.dtype for layer in within(model) if hasattr(layer, "dtype")}
    if len(learned) < len(parameters) or learned != {id(p) for p in optimizer.params} or len(dtypes) != 1:
        return None
    every = zip(optimizer.params, optimizer._members(), optimizer.states(), strict=True)
    known = {id(parameter): (member, *states) for parameter, member, states in every}
    stages = describe(layers, lambda parameter: known[id(parameter)])
    if stages is None:
        return None
    groups = optimizer._group_settings()
    return _core.Engine(dtypes.pop().name, stages, loss._settings, groups, (clipping.norm, clipping.value))


def describe(layers: Iterable[Any], states: StatesOf, first: bool = True) -> list[tuple[Any, ...]] | None:
    """Return what layers are to the engine, None if it cannot do one of them.

    ``first``: the input of the layers is that of the model, where the engine looks for codes.
    """
    stages = [layer._stage(states) for layer in layers]
    if None in stages or any(stage[0] == "tabular_embedding" for stage in stages[int(first) :]):
        return None
    return stages


def _is_ours(part: Any, kind: type) -> bool:
    return isinstance(part, kind) and type(part).__module__.startswith("ne_torch.")
