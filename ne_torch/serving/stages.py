"""What a predictor is made of: the stages of a frozen network, as the engine in C++ takes them.

The weights of a dense stage lie in panels of P outputs, ``panel p [k, l] = weight[P p + l, k]``, one layout
for every instruction set; see csrc/core/panels.hpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ne_torch import _core
from ne_torch._memory import aligned
from ne_torch.typing import Array

__all__ = [
    "CLASS_WISE",
    "Dense",
    "Elementwise",
    "Lookup",
    "Normalize",
    "ScaleShift",
    "Skip",
    "Stage",
    "arrays",
    "pack",
    "unpack",
    "widths",
]

CLASS_WISE = ("softmax", "log_softmax")


class Dense(NamedTuple):
    """``y = activation(x W^T * scale + b)``."""

    in_features: int
    out_features: int
    activation: str
    panels: Array  # float32 or float64; uint16 for bfloat16; int8
    bias: Array | None
    scale: Array | None

    def described(self) -> tuple[Any, ...]:
        """Return the stage as the engine takes it."""
        return ("dense", *self)


class Elementwise(NamedTuple):
    """An activation by its name with its two numbers, or softmax, or log_softmax."""

    name: str
    width: int
    numbers: tuple[float, float] = (0.0, 0.0)

    def described(self) -> tuple[Any, ...]:
        """Return the stage as the engine takes it."""
        if self.name in CLASS_WISE:
            return (self.name, self.width)
        return ("activation", self.width, self.name, *self.numbers)


class Normalize(NamedTuple):
    """Layer normalisation of a row."""

    width: int
    eps: float
    weight: Array | None
    bias: Array | None

    @property
    def name(self) -> str:
        """Return what it is called in files."""
        return "layer_norm"

    def described(self) -> tuple[Any, ...]:
        """Return the stage as the engine takes it."""
        return ("layer_norm", self.width, self.eps, self.weight, self.bias)


class ScaleShift(NamedTuple):
    """``y = fma(x, scale, shift)``: batch normalisation in eval mode."""

    width: int
    scale: Array
    shift: Array

    @property
    def name(self) -> str:
        """Return what it is called in files."""
        return "batch_norm"

    def described(self) -> tuple[Any, ...]:
        """Return the stage as the engine takes it."""
        return ("scale_shift", self.width, self.scale, self.shift)


class Skip(NamedTuple):
    """One end of a connection around layers: ``"keep"`` puts x into a slot, ``"add_kept"`` adds it to x."""

    name: str
    width: int
    slot: int

    def described(self) -> tuple[Any, ...]:
        """Return the stage as the engine takes it."""
        return (self.name, self.width, self.slot)


class Lookup(NamedTuple):
    """The numbers of the rows that come in, then for each column of codes the row of its table."""

    in_features: int
    columns: tuple[int, ...]  # ascending
    tables: tuple[Array, ...]

    @property
    def name(self) -> str:
        """Return what it is called in files."""
        return "tabular_embedding"

    @property
    def out_features(self) -> int:
        """Return how wide a row goes out."""
        dims: list[int] = [table.shape[1] for table in self.tables]
        return self.in_features - len(dims) + sum(dims)

    def described(self) -> tuple[Any, ...]:
        """Return the stage as the engine takes it."""
        return (self.name, self.in_features, tuple(zip(self.columns, self.tables, strict=True)))


Stage = Dense | Elementwise | Lookup | Normalize | ScaleShift | Skip


def widths(stage: Stage) -> tuple[int, int]:
    """Return how wide a row comes in, and goes out."""
    if isinstance(stage, Dense | Lookup):
        return stage.in_features, stage.out_features
    return stage.width, stage.width


def arrays(stage: Stage) -> list[Array]:
    """Return all arrays of a stage."""
    if isinstance(stage, Lookup):
        return list(stage.tables)
    return [part for part in stage if isinstance(part, np.ndarray)]


def pack(matrix: Array, dtype: np.dtype[Any]) -> Array:
    """Lay a (out_features, in_features) matrix out in panels for arithmetic in dtype."""
    out_features, in_features = matrix.shape
    panels = aligned(np.zeros(_padded(out_features, dtype) * in_features, matrix.dtype))
    for part, panel in _panels(panels, in_features, out_features, dtype):
        panel[:, : part.stop - part.start] = matrix[part].T
    return panels


def unpack(stage: Dense, dtype: np.dtype[Any]) -> Array:
    """Return the (out_features, in_features) matrix in a dense stage's panels, in their dtype."""
    matrix = np.empty((stage.out_features, stage.in_features), stage.panels.dtype)
    for part, panel in _panels(stage.panels, stage.in_features, stage.out_features, dtype):
        matrix[part] = panel[:, : part.stop - part.start].T
    return matrix


def _padded(out_features: int, dtype: np.dtype[Any]) -> int:
    line = _core.panel_line(dtype.itemsize)
    return -(-out_features // line) * line


def _panels(
    panels: Array, in_features: int, out_features: int, dtype: np.dtype[Any]
) -> Iterator[tuple[slice, Array]]:
    """Yield which outputs are in each panel, and a (in_features, width) view of it."""
    end = _padded(out_features, dtype)
    step = _core.panel_width(dtype.itemsize)
    for first in range(0, end, step):
        width = min(step, end - first)
        view = panels[first * in_features : (first + width) * in_features].reshape(in_features, width)
        yield slice(first, min(first + width, out_features)), view
