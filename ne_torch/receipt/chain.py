"""The hashes of a receipt: what goes into them, and in which order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from ne_torch.optimizers import Optimizer
from ne_torch.sequential import flatten
from ne_torch.training.samples import Arrays
from ne_torch.typing import Array

__all__ = [
    "ARITHMETIC",
    "array_header",
    "data_headers",
    "hash_of",
    "header",
    "state_arrays",
    "state_bytes",
    "state_hash",
]

ARITHMETIC = 1  # of docs/reproducibility.md; another version may give other bits


def hash_of(*parts: Any) -> str:
    """Hash bytes as they are, anything else as JSON with sorted keys and no spaces."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else _canonical(part))
    return digest.hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def header(content: dict[str, Any]) -> dict[str, Any]:
    """Return what determines a training; the initial state stands in it by its hash."""
    return {name: value for name, value in content.items() if name not in ("initial_state", "epochs")}


def array_header(array: Array) -> dict[str, Any]:
    """Return what tells one array from another."""
    return {"dtype": array.dtype.name, "shape": list(array.shape), "sha256": hash_of(_little_endian(array))}


def data_headers(data: Arrays) -> dict[str, Any]:
    """Return the headers of x, target, and the weights of the samples where there are any."""
    names = ("x", "target", "sample_weight")
    return {name: array_header(array) for name, array in zip(names, data, strict=True) if array is not None}


def _little_endian(array: Array) -> bytes:
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def state_arrays(model: Any, optimizer: Optimizer | None) -> Iterator[tuple[str, Array]]:
    """Return what each layer learns and keeps, under its index.

    A parameter is followed by what the optimizer remembers of it; buffers stand behind all parameters.
    """
    kinds: tuple[str, ...] = ()
    states: dict[int, tuple[Array | None, ...]] = {}
    if optimizer is not None:
        kinds = optimizer.state_names()
        states = dict(zip(map(id, optimizer.params), optimizer.states(), strict=True))
    for index, layer in enumerate(flatten(model)):
        for name, parameter in getattr(layer, "named_parameters", dict)().items():
            yield f"{index}.{name}", parameter.data
            for kind, array in zip(kinds, states.get(id(parameter), ()), strict=False):
                if array is not None:
                    yield f"{kind}.{index}.{name}", array
        for name, array in getattr(layer, "named_buffers", dict)().items():
            yield f"{index}.{name}", array


def state_bytes(model: Any, optimizer: Optimizer | None) -> Iterator[bytes]:
    """Return name, dtype and shape of each array in a line, then its elements in little-endian order."""
    for name, array in state_arrays(model, optimizer):
        yield f"{name} {array.dtype.name} {array.shape}\n".encode()
        yield _little_endian(array)


def state_hash(model: Any, optimizer: Optimizer | None = None) -> str:
    """Return the SHA-256 of all parameters and buffers, and of the optimizer's states where one is given.

    Examples
    --------
    >>> import ne_torch as nt
    >>> from ne_torch.receipt import state_hash
    >>> state_hash(nt.Linear(3, 2, rng=0)) == state_hash(nt.Linear(3, 2, rng=0))
    True
    """
    return hash_of(*state_bytes(model, optimizer))
