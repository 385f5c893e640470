"""Trains again what a receipt records."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ne_torch import datasets
from ne_torch.optimizers import Optimizer
from ne_torch.receipt.chain import ARITHMETIC, data_headers, state_arrays
from ne_torch.receipt.description import build_trainer, set_options
from ne_torch.receipt.record import SOURCES, Receipt, read
from ne_torch.training.state import FitState
from ne_torch.typing import Array

__all__ = ["verify"]

_DAMAGE = (KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError, zlib.error)


def verify(
    path: str | os.PathLike[str],
    data: tuple[Array, ...] | None = None,
    report: Callable[[str], object] | None = None,
) -> int | None:
    """Train again what a receipt records.

    Parameters
    ----------
    path : path
    data : (x, target) or (x, target, sample_weight), optional
        Where the receipt does not name its source.
    report : callable, optional
        Called with a line for each epoch.

    Returns
    -------
    int or None
        The first epoch whose hash differs, counted from 1; None where all agree.

    Raises
    ------
    ValueError
        If the file is no receipt of this version of the arithmetic, or the data are not those it names.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, ne_torch as nt
    >>> from ne_torch.receipt import verify
    >>> model, x = nt.Sequential(nt.Linear(2, 1, rng=0)), np.ones((8, 2), "float32")
    >>> trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    >>> path = os.path.join(tempfile.mkdtemp(), "run.json")
    >>> history = trainer.fit(x, x[:, :1], epochs=2, rng=0, receipt=path)
    >>> verify(path, (x, x[:, :1])) is None
    True
    """
    try:
        return _repeated(read(path), data, report if report is not None else str)
    except _DAMAGE as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"receipt: {os.fspath(path)!r} is damaged: {reason[:200]}") from None


def _repeated(
    content: dict[str, Any], data: tuple[Array, ...] | None, tell: Callable[[str], object]
) -> int | None:
    if content["arithmetic"] != ARITHMETIC:
        raise ValueError(
            f"receipt: expected arithmetic {ARITHMETIC}, got {content['arithmetic']}; verify it with the "
            "release of ne_torch that wrote it"
        )
    x, target, *rest = data if data is not None else _load(content)
    weight = rest[0] if rest else None
    found = data_headers((x, target, weight))
    for name in sorted({*found, *content["data"]} - {"source"}):
        expected = content["data"].get(name)
        if found.get(name) != expected:
            raise ValueError(f"receipt: expected {name} to be {expected}, got {found.get(name)}")
    options = content["fit"]
    trainer = build_trainer(content)
    model, optimizer = trainer.model, trainer.optimizer
    _restore(model, optimizer, content)
    place = {"samples": len(x), "epoch": 0, "cursor": [0, 0.0], "history": {}, **options}
    trainer._state = FitState.from_dict(place)
    record = Receipt(source=content["data"]["source"])
    for epoch, entry in enumerate(content["epochs"], 1):
        set_options(optimizer, entry["options"])
        same = {"batch_size": options["batch_size"], "shuffle": options["shuffle"]}
        trainer.fit(x, target, sample_weight=weight, epochs=epoch, resume=True, receipt=record, **same)
        found = record.content["epochs"][-1]["hash"]
        if found != entry["hash"]:
            tell(f"epoch {epoch} differs: expected {entry['hash']}, got {found}")
            return epoch
        tell(f"epoch {epoch}: {found}")
    return None


def _restore(model: Any, optimizer: Optimizer, content: dict[str, Any]) -> None:
    """Set parameters, buffers and states to the initial ones; ValueError where it is not the hashed one."""
    room = sum(array.nbytes + 200 for _, array in state_arrays(model, optimizer)) * 2
    state = zlib.decompressobj().decompress(base64.b85decode(content["initial_state"]), room)
    if hashlib.sha256(state).hexdigest() != content["initial"]:
        raise ValueError("receipt: expected the initial state with the hash that the header names")
    for name, array in state_arrays(model, optimizer):
        head = f"{name} {array.dtype.name} {array.shape}\n".encode()
        if not state.startswith(head):
            raise ValueError(f"receipt: expected {name} of shape {array.shape} in the initial state")
        raw = state[len(head) : len(head) + array.nbytes]
        array[...] = np.frombuffer(raw, array.dtype.newbyteorder("<")).reshape(array.shape)
        state = state[len(head) + array.nbytes :]


def _load(content: dict[str, Any]) -> tuple[Array, Array]:
    source, dtype = content["data"]["source"], content["data"]["x"]["dtype"]
    if source not in SOURCES:
        raise ValueError("receipt: expected data=(x, target), or --data FILE.npz, for it names no source")
    data = datasets.load_mnist(dtype) if source == "mnist" else datasets.load_digits(dtype)
    target = content["data"]["target"]["dtype"]
    if target.startswith("int"):
        return data.x_train, data.y_train.astype(target)
    return data.x_train, datasets.one_hot(data.y_train, 10, dtype)
