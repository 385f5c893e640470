"""The record of a training, and its file."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ne_torch._files import write_atomically
from ne_torch.receipt.chain import ARITHMETIC, data_headers, hash_of, header, state_bytes
from ne_torch.receipt.description import describe_trainer, options_of
from ne_torch.training.samples import Arrays
from ne_torch.training.state import FitState

if TYPE_CHECKING:
    from ne_torch.trainer import Trainer

__all__ = ["SOURCES", "Receipt", "read"]

SOURCES = ("digits", "mnist")
_FORMAT = "ne_torch receipt 1"


class Receipt:
    """The record of one ``fit``; given to it as ``receipt=``.

    Parameters
    ----------
    path : path or None
        The JSON file, written after each epoch; None keeps the record in memory.
    source : {"mnist", "digits"}, optional
        Says that x and target are ``x_train`` and ``one_hot(y_train, 10)`` of ``ne_torch.datasets``, so that
        verify finds them by itself.

    Attributes
    ----------
    content : dict
        What the file holds.

    Raises
    ------
    ValueError
        If the source is unknown.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> from ne_torch.receipt import Receipt
    >>> model, x = nt.Sequential(nt.Linear(2, 1, rng=0)), np.ones((8, 2), "float32")
    >>> trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    >>> receipt = Receipt()
    >>> history = trainer.fit(x, x[:, :1], epochs=2, rng=0, receipt=receipt)
    >>> len(receipt.content["epochs"])
    2
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, source: str | None = None) -> None:
        if source is not None and source not in SOURCES:
            raise ValueError(f"Receipt: expected source to be one of {SOURCES} or None, got {source!r}")
        self._path = path
        self._source = source
        self._options: dict[str, Any] | list[dict[str, Any]] = {}
        self.content: dict[str, Any] = {}

    def begin(self, trainer: Trainer, data: Arrays, state: FitState) -> None:
        """Start the chain, or take it up again where a training is resumed. Called by ``fit``."""
        if state.epoch > 0 or state.cursor[0] > 0:
            self._take_up(data, state)
            return
        described = describe_trainer(trainer)
        initial = b"".join(state_bytes(trainer.model, trainer.optimizer))
        self.content = {
            "format": _FORMAT,
            "arithmetic": ARITHMETIC,
            **described,
            "fit": {name: getattr(state, name) for name in ("batch_size", "shuffle", "seed", "position")},
            "data": {"source": self._source, **data_headers(data)},
            "initial": hashlib.sha256(initial).hexdigest(),
            "initial_state": base64.b85encode(zlib.compress(initial)).decode(),
            "epochs": [],
        }

    def _take_up(self, data: Arrays, state: FitState) -> None:
        if not self.content and self._path is not None and Path(self._path).exists():
            self.content = read(self._path)
        told = dict(self.content.get("data", {}))
        told.pop("source", None)
        same_data = told == data_headers(data)
        if len(self.content.get("epochs", ())) < state.epoch or not same_data:
            raise ValueError(
                f"Trainer.fit: expected the receipt of the training that is resumed, with {state.epoch} "
                "epochs and the same data, to go on with; a receipt begins with the training"
            )
        del self.content["epochs"][state.epoch :]

    def epoch_begins(self, trainer: Trainer) -> None:
        """Note the optimizer's hyperparameters, which callbacks may have changed."""
        self._options = options_of(trainer.optimizer)

    def epoch_ended(self, trainer: Trainer, epoch: int, loss: float) -> None:
        """Add an epoch to the chain, and write the file."""
        entry: dict[str, Any] = {"options": self._options, "loss": loss.hex()}
        entries = self.content["epochs"]
        del entries[epoch:]
        before = entries[-1]["hash"] if entries else hash_of(header(self.content))
        entry["hash"] = hash_of(before, entry, *state_bytes(trainer.model, trainer.optimizer))
        entries.append(entry)
        if self._path is not None:
            write_atomically(self._path, json.dumps(self.content, indent=1).encode())


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the content of a receipt's file; ValueError where it is none."""
    try:
        content: dict[str, Any] = json.loads(Path(path).read_bytes())
        if content["format"] != _FORMAT or not content["epochs"]:
            raise ValueError(f"expected the format {_FORMAT!r} and at least one epoch")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"receipt: {os.fspath(path)!r} is no receipt: {error}") from None
    return content
