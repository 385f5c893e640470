"""Files to go on from, or of the best model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ne_torch._checks import positive_integer
from ne_torch.callbacks.callback import Callback
from ne_torch.callbacks.monitored import best_epoch, direction, monitored
from ne_torch.history import History

if TYPE_CHECKING:
    from ne_torch.trainer import Trainer

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(Callback):
    """Writes the trainer to a file after epochs, by ``Trainer.save``: all of the file or nothing.

    ``Trainer.load`` and ``fit(resume=True)`` go on with the epoch after, to the bit.

    Parameters
    ----------
    path : path
        Written again and again; with fields such as ``"run-{epoch}-{validation_loss:.3f}.safetensors"`` a
        file for each epoch. The fields are ``epoch``, counted from 0, and the columns of the history.
    monitor : str, default "validation_loss"
        The column that ``save_best_only`` looks at.
    save_best_only : bool, default False
        Write only after an epoch that is better than all those before that could have been written.
    every : int, default 1
        Look at every so-manieth epoch only.
    mode : {"auto", "min", "max"}, default "auto"
        As for ``EarlyStopping``.

    Raises
    ------
    ValueError, TypeError
        If an argument is not one of those.

    Examples
    --------
    >>> import tempfile, numpy as np, ne_torch as nt
    >>> def make_trainer():
    ...     model = nt.Sequential(nt.Linear(1, 1, rng=0))
    ...     return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.5))
    >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
    >>> path = tempfile.mkdtemp() + "/run.safetensors"
    >>> save = nt.callbacks.ModelCheckpoint(path)
    >>> _ = make_trainer().fit(x, 3 * x, epochs=3, rng=0, callbacks=[save])
    >>> trainer = make_trainer()
    >>> trainer.load(path)
    >>> len(trainer.fit(x, 3 * x, epochs=5, resume=True))
    5
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "validation_loss",
        save_best_only: bool = False,
        every: int = 1,
        mode: str = "auto",
    ) -> None:
        self._path = os.fspath(path)
        self._every = positive_integer(every, "ModelCheckpoint", "every")
        if save_best_only:
            self.monitor = monitor
            self._sign = direction(mode, monitor, "ModelCheckpoint")

    def epoch_finished(self, trainer: Trainer, epoch: int, history: History) -> None:
        """Write the file where it is due."""
        if (epoch + 1) % self._every or not self._is_best(epoch, history):
            return
        latest = {name: column[epoch] for name, column in history.columns().items()}
        trainer.save(self._path.format(epoch=epoch, **latest))

    def _is_best(self, epoch: int, history: History) -> bool:
        if self.monitor is None:
            return True
        looked_at = monitored(history, self.monitor, epoch)[self._every - 1 :: self._every]
        return best_epoch(looked_at, self._sign) == len(looked_at) - 1
