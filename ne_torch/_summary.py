"""A model as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["Summary", "as_html", "summarize"]


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
    total, nbytes = _totals(model)
    rows = [("layer", "output", "parameters")]
    for label, width, count in _rows(model, "", None):
        rows.append((label, "?" if width is None else f"{width:,}", f"{count:,}" if count else ""))
    rows.append(("total", "", f"{total:,}"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}".rstrip() for row in rows]
    rule = "-" * (sum(widths) + 4)
    summary = Summary("\n".join([lines[0], rule, *lines[1:-1], rule, f"{lines[-1]}  ({_size(nbytes)})"]))
    summary.parameters, summary.nbytes = total, nbytes
    return summary


def as_html(model: Any) -> str:
    """Return the same table for a notebook; its colours and fonts are those of the page, light or dark."""
    total, nbytes = _totals(model)
    rows = [_html_row("th", "layer", "output shape", "parameters")]
    for label, width, count in _rows(model, "", None):
        shape = "?" if width is None else f"(..., {width})"
        rows.append(_html_row("td", label, shape, f"{count:,}" if count else ""))
    rows.append(_html_row("th", "total", _size(nbytes), f"{total:,}"))
    head, body, foot = rows[0], "".join(rows[1:-1]), rows[-1]
    return f"<table>\n<thead>{head}</thead>\n<tbody>{body}</tbody>\n<tfoot>{foot}</tfoot>\n</table>"


def _html_row(cell: str, label: str, *numbers: str) -> str:
    from html import escape

    first = f'<{cell} style="text-align: left; white-space: pre">{escape(label)}</{cell}>'
    others = (f'<{cell} style="text-align: right">{number}</{cell}>' for number in numbers)
    return f"<tr>{first}{''.join(others)}</tr>\n"


def _totals(model: Any) -> tuple[int, int]:
    """Return how many numbers are learned, those of shared parameters once, and their bytes."""
    unique = {id(parameter): parameter for parameter in _parameters(model)}.values()
    return sum(p.size for p in unique), sum(p.data.nbytes for p in unique)


def _rows(layer: Any, name: str, width: int | None) -> Iterator[tuple[str, int | None, int]]:
    """Yield name, output width and parameters of a layer and of those in it, depth first."""
    inner = layer._inner() if hasattr(layer, "_inner") else {}
    own = sum(parameter.size for parameter in ([] if inner else _parameters(layer)))
    depth = name.count(".")
    label = f"{'  ' * depth}{name.rpartition('.')[2]}{': ' if name else ''}{type(layer).__name__}"
    yield label, width_after(layer, width), own
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


def _parameters(layer: Any) -> list[Any]:
    return layer.parameters() if hasattr(layer, "parameters") else []


def _size(nbytes: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if nbytes < 1024:
            return f"{nbytes:.4g} {unit}"
        nbytes /= 1024
    return f"{nbytes:.4g} GiB"
