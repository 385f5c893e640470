"""A model as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["Summary", "summarize"]


class Summary(str):
    """A text that shows itself at the prompt and in a notebook as ``print`` would.

    Attributes
    ----------
    parameters : int
        How many numbers are learned, those of shared parameters once.
    nbytes : int
        The memory that they take.
    """

    parameters: int
    nbytes: int

    def __repr__(self) -> str:
        return str(self)


def summarize(model: Any) -> Summary:
    """Return the table of a model's layers."""
    rows = [("layer", "output", "parameters")]
    rows += [(name, width, f"{count:,}" if count else "") for name, width, count in _rows(model, "", None)]
    unique = {id(parameter): parameter for parameter in _parameters(model)}.values()
    total, nbytes = sum(p.size for p in unique), sum(p.data.nbytes for p in unique)
    rows.append(("total", "", f"{total:,}"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}".rstrip() for row in rows]
    rule = "-" * (sum(widths) + 4)
    summary = Summary("\n".join([lines[0], rule, *lines[1:-1], rule, f"{lines[-1]}  ({_size(nbytes)})"]))
    summary.parameters, summary.nbytes = total, nbytes
    return summary


def _rows(layer: Any, name: str, width: int | None) -> Iterator[tuple[str, str, int]]:
    """Yield name, output width and parameters of a layer and of those in it, depth first."""
    inner = layer._inner() if hasattr(layer, "_inner") else {}
    own = sum(parameter.size for parameter in ([] if inner else _parameters(layer)))
    depth = name.count(".")
    label = f"{'  ' * depth}{name.rpartition('.')[2]}{': ' if name else ''}{type(layer).__name__}"
    yield label, _shown(width_after(layer, width)), own
    for key, part in inner.items():
        yield from _rows(part, f"{name}.{key}" if name else key, width)
        width = width_after(part, width)


def width_after(layer: Any, width: int | None) -> int | None:
    """Return how many outputs a layer has that gets so many inputs; None where that is not known."""
    told = getattr(layer, "out_features", None)
    if isinstance(told, int):
        return told
    inner = layer._inner() if hasattr(layer, "_inner") else {}
    for part in inner.values():
        width = width_after(part, width)
    ours = type(layer).__module__.startswith("ne_torch.")
    return width if inner or ours else None


def _shown(width: int | None) -> str:
    return "?" if width is None else f"{width:,}"


def _parameters(layer: Any) -> list[Any]:
    return layer.parameters() if hasattr(layer, "parameters") else []


def _size(nbytes: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if nbytes < 1024:
            return f"{nbytes:.4g} {unit}"
        nbytes /= 1024
    return f"{nbytes:.4g} GiB"
