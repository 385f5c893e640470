"""Which modules a torch module's ``forward`` passes its input through, one after the other."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator
from typing import Any

__all__ = ["children_in_order"]

_FUNCTIONS = {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid"}  # of torch, torch.nn.functional, methods


def children_in_order(torch: Any, module: Any, place: str) -> list[tuple[str, Any]]:
    """Return names and modules of the chain that forward is, found by tracing it (torch.fx).

    A list in the place of a module is a chain of its own, to whose output its input is added.

    Raises
    ------
    TypeError
        If forward cannot be traced, or is no chain.
    ValueError
        If it comes to a module twice.
    """
    try:
        graph = torch.fx.symbolic_trace(module).graph
    except Exception as error:  # whatever a forward of somebody's does with what is no tensor
        kind = type(module).__name__
        raise TypeError(
            f"from_torch: expected layers that ne_torch has, or a forward that torch.fx can trace, "
            f"got {kind} as {place}: {error}"
        ) from None
    chain: list[tuple[str, Any]] = []
    inputs: list[Any] = []  # of each link of the chain
    visited: list[int] = []
    uses: Counter[Any] = Counter()
    before: Any = None
    for node in graph.nodes:
        if node.op == "placeholder" and before is None:
            before = node
            continue
        start = _start_of_residual(torch, node, inputs, before)
        if start is not None:
            branch = chain[start:]
            if not _spares_input(torch, branch):
                raise _no_chain(node, place)
            uses[inputs[start]] += 1
            chain[start:], inputs[start + 1 :] = [(str(node.name), branch)], []
        elif before is None or node.args[:1] != (before,):
            raise _no_chain(node, place)
        elif node.op != "output":
            part = _module(torch, module, node, place)
            visited.append(id(part))
            chain.append((str(node.target), part))
            inputs.append(before)
        uses[before] += 1
        before = node
    for node in graph.nodes:
        if len(node.users) != uses[node]:
            raise _no_chain(node, place)
    if len(set(visited)) < len(visited):
        raise ValueError(f"from_torch: expected every module once, got one of them twice in {place}")
    return chain


def _start_of_residual(torch: Any, node: Any, inputs: list[Any], before: Any) -> int | None:
    """Return which link's input the node adds to the chain's last output; None where it does not."""
    adds = node.op.startswith("call_") and node.target in (operator.add, torch.add, "add")
    others = [value for value in node.args if value is not before]
    if not adds or node.op == "call_module" or node.kwargs or len(node.args) != 2 or len(others) != 1:
        return None
    return inputs.index(others[0]) if others[0] in inputs else None


def _spares_input(torch: Any, branch: list[tuple[str, Any]]) -> bool:
    """Tell whether no layer of a branch works in place on the branch's input, which is needed for the sum."""
    for leaf in _leaves(torch, branch):
        if any(getattr(part, "inplace", False) for part in leaf.modules()):
            return False
        passes_on = isinstance(leaf, (torch.nn.Identity, torch.nn.Dropout))
        if type(leaf) is getattr(torch.nn, type(leaf).__name__, None) and not passes_on:
            return True
    return True


def _leaves(torch: Any, branch: list[tuple[str, Any]]) -> Iterator[Any]:
    for _, part in branch:
        if isinstance(part, list):
            yield from _leaves(torch, part)
        elif type(part) is torch.nn.Sequential:
            yield from _leaves(torch, list(part.named_children()))
        else:
            yield part


def _module(torch: Any, module: Any, node: Any, place: str) -> Any:
    if node.op == "call_module":
        return module.get_submodule(node.target)
    name = node.target if node.op == "call_method" else getattr(node.target, "__name__", "")
    plain = len(node.args) == 1 and not {k: v for k, v in node.kwargs.items() if v and k != "inplace"}
    if name not in _FUNCTIONS or not _is_torchs(torch, node, name) or not plain:
        raise _no_chain(node, place)
    part = getattr(torch.nn, _FUNCTIONS[name])()
    part.training = module.training
    part.inplace = node.kwargs.get("inplace", False)
    return part


def _is_torchs(torch: Any, node: Any, name: str) -> bool:
    """Tell torch's own function from somebody's of the same name."""
    own = (getattr(torch, name, None), getattr(torch.nn.functional, name, None))
    return node.op == "call_method" or (node.op == "call_function" and node.target in own)


def _no_chain(node: Any, place: str) -> TypeError:
    name = getattr(node.target, "__name__", node.target)
    return TypeError(
        f"from_torch: expected a forward that passes its input from one layer to the next, or adds it to "
        f"what came of it, and nowhere else, got {name!r} otherwise in {place}"
    )
