"""The history as a table in a file."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ne_torch._files import write_atomically
from ne_torch.callbacks.callback import Callback
from ne_torch.history import History
from ne_torch.typing import Array

if TYPE_CHECKING:
    from ne_torch.trainer import Trainer

__all__ = ["CSVLogger"]


class CSVLogger(Callback):
    """Writes a CSV file with a row for each epoch: its number from 0, and the columns of the history.

    The file is written anew after each epoch, all of it or nothing, with every digit of each number: a
    training that is interrupted and resumed leaves one row for each epoch.

    Parameters
    ----------
    path : path
    append : bool, default False
        Keep the rows that the file has when a training begins, and write below them.

    Raises
    ------
    ValueError
        When a training begins, if the file to append to is no table; at the end of the first epoch, if it
        has other columns.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np, ne_torch as nt
    >>> model = nt.Sequential(nt.Linear(1, 1, rng=0))
    >>> trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.5))
    >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
    >>> path = pathlib.Path(tempfile.mkdtemp(), "run.csv")
    >>> _ = trainer.fit(x, 3 * x, epochs=3, rng=0, callbacks=[nt.callbacks.CSVLogger(path)])
    >>> [line.split(",")[0] for line in path.read_text().splitlines()]
    ['epoch', '0', '1', '2']
    """

    def __init__(self, path: str | os.PathLike[str], append: bool = False) -> None:
        self._path = Path(path)
        self._append = bool(append)
        self._rows_before: int | None = None

    def train_begin(self, trainer: Trainer) -> None:
        """Count the rows that stay above those of this training."""
        if self._rows_before is None:
            self._rows_before = max(len(self._read()) - 1, 0) if self._append else 0

    def epoch_end(self, trainer: Trainer, epoch: int, history: History) -> None:
        """Write the file."""
        columns = history.columns()
        head = ["epoch", *columns]
        before = self._read() if self._rows_before else []
        if not before:  # or the file has gone
            before, self._rows_before = [head], 0
        if before[0] != head:
            raise ValueError(
                f"CSVLogger: expected {os.fspath(self._path)!r} to have the columns {head} to append to, "
                f"got {before[0]}"
            )
        rows = [[i, *(repr(column[i]) for column in columns.values())] for i in range(epoch + 1)]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*before[: 1 + (self._rows_before or 0)], *rows])
        write_atomically(self._path, text.getvalue().encode())

    def state_dict(self) -> dict[str, Array]:
        """Return how many rows stand above those of this training."""
        return {} if self._rows_before is None else {"rows_before": np.array(self._rows_before)}

    def load_state_dict(self, state_dict: dict[str, Array]) -> None:
        """Take up what ``state_dict`` returned."""
        rows = state_dict.get("rows_before")
        self._rows_before = None if rows is None else int(rows)

    def _read(self) -> list[list[str]]:
        if not self._path.exists():
            return []
        try:
            with self._path.open(newline="", encoding="utf-8") as file:
                return list(csv.reader(file))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"CSVLogger: {os.fspath(self._path)!r} is no table: {error}") from None
