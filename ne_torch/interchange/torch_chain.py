"""Which modules a torch module's ``forward`` passes its input through, one after the other."""

from __future__ import annotations

from typing import Any

__all__ = ["children_in_order"]

_FUNCTIONS = {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid"}  # of torch, torch.nn.functional, methods


def children_in_order(torch: Any, module: Any, place: str) -> list[tuple[str, Any]]:
    """Return names and modules of the chain that forward is, found by tracing it (torch.fx).

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
    before: Any = None
    for node in graph.nodes:
        if node.op == "placeholder" and before is None:
            before = node
            continue
        if before is None or node.args[:1] != (before,) or len(before.users) != 1:
            raise _no_chain(node, place)
        if node.op != "output":
            chain.append((str(node.target), _module(torch, module, node, place)))
        before = node
    visited = [id(part) for _, part in chain]
    if len(set(visited)) < len(visited):
        raise ValueError(f"from_torch: expected every module once, got one of them twice in {place}")
    return chain


def _module(torch: Any, module: Any, node: Any, place: str) -> Any:
    if node.op == "call_module":
        return module.get_submodule(node.target)
    name = node.target if node.op == "call_method" else getattr(node.target, "__name__", "")
    plain = len(node.args) == 1 and not {k: v for k, v in node.kwargs.items() if v and k != "inplace"}
    if name not in _FUNCTIONS or not _is_torchs(torch, node, name) or not plain:
        raise _no_chain(node, place)
    part = getattr(torch.nn, _FUNCTIONS[name])()
    part.training = module.training
    return part


def _is_torchs(torch: Any, node: Any, name: str) -> bool:
    """Tell torch's own function from somebody's of the same name."""
    own = (getattr(torch, name, None), getattr(torch.nn.functional, name, None))
    return node.op == "call_method" or (node.op == "call_function" and node.target in own)


def _no_chain(node: Any, place: str) -> TypeError:
    name = getattr(node.target, "__name__", node.target)
    return TypeError(
        f"from_torch: expected a forward that passes its input from one layer to the next and nowhere else, "
        f"got {name!r} otherwise in {place}"
    )
