"""Stop when nothing gets better, and keep the best weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ne_torch import _core
from ne_torch._checks import positive_integer
from ne_torch.callbacks.callback import Callback
from ne_torch.callbacks.monitored import best_epoch, direction, monitored
from ne_torch.history import History
from ne_torch.typing import Array

if TYPE_CHECKING:
    from ne_torch.trainer import Trainer

__all__ = ["EarlyStopping"]


class EarlyStopping(Callback):
    """Ends a training when a number has not improved for some epochs.

    Parameters
    ----------
    monitor : str, default "validation_loss"
        A column of the history: ``"loss"``, ``"validation_loss"``, or ``"validation_<metric>"``.
    patience : int, default 10
        So many epochs without an improvement end the training.
    min_delta : float, default 0
        An improvement is one by more than this.
    mode : {"auto", "min", "max"}, default "auto"
        Whether small or large numbers are good; ``"auto"`` knows losses, errors, accuracy, r2 and f1.
    restore_best_weights : bool, default True
        Leave the model with the weights (and buffers) of the best epoch, however the training ends: by this
        callback, by itself, by ``max_steps``, by an exception or Ctrl-C. The last weights are kept: a
        training that is resumed with this callback, or another in its place, goes on from those.

    Attributes
    ----------
    best_epoch : int or None
        The best epoch, counted from 0.
    best : float
        What the monitor was then.
    stopped_epoch : int or None
        The epoch after which this callback ended the training.

    Raises
    ------
    ValueError, TypeError
        If an argument is not one of those.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> model = nt.Sequential(nt.Linear(1, 1, rng=0))
    >>> trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.5))
    >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
    >>> stopping = nt.callbacks.EarlyStopping(patience=2, min_delta=1e-3)
    >>> history = trainer.fit(x, 3 * x, epochs=100, rng=0, validation_data=(x, 3 * x), callbacks=[stopping])
    >>> len(history) == stopping.best_epoch + 1 + 2
    True
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best_weights: bool = True,
    ) -> None:
        place = "EarlyStopping"
        self.monitor: str = monitor
        self._patience = positive_integer(patience, place, "patience")
        self._min_delta = _core.finite_number(min_delta, place, "min_delta")
        if self._min_delta < 0:
            raise ValueError(f"{place}: expected min_delta of at least 0, got {min_delta!r}")
        self._sign = direction(mode, monitor, place)
        self._restores = bool(restore_best_weights)
        self._best: dict[str, Array] = {}
        self._last: dict[str, Array] = {}  # while the best ones stand in the model
        self.best_epoch: int | None = None
        self.best = float("nan")
        self.stopped_epoch: int | None = None

    def train_begin(self, trainer: Trainer) -> None:
        """Put the last weights back where a training goes on."""
        if self._restores and not hasattr(trainer.model, "load_state_dict"):
            kind = type(trainer.model).__name__
            raise TypeError(f"EarlyStopping: expected a model with load_state_dict to restore, got {kind}")
        if self._last:
            trainer.model.load_state_dict(self._last)
            self._last = {}

    def epoch_end(self, trainer: Trainer, epoch: int, history: History) -> bool:
        """Keep the weights if they are the best so far; return whether patience has run out."""
        values = monitored(history, self.monitor, epoch)
        self.best_epoch = best_epoch(values, self._sign, self._min_delta)
        if self.best_epoch is not None:
            self.best = values[self.best_epoch]
        if self._restores and self.best_epoch == epoch:
            self._best = trainer.model.state_dict()
        waited = epoch - (-1 if self.best_epoch is None else self.best_epoch)
        self.stopped_epoch = epoch if waited >= self._patience else None
        return self.stopped_epoch is not None

    def train_end(self, trainer: Trainer) -> None:
        """Restore the best weights."""
        if self._best and not self._last:
            self._last = trainer.model.state_dict()
            trainer.model.load_state_dict(self._best)

    def state_dict(self) -> dict[str, Array]:
        """Return what is known, the weights of the best epoch and, of a training that has ended, the last."""
        epochs = [-1 if epoch is None else epoch for epoch in (self.best_epoch, self.stopped_epoch)]
        known = {"known": np.array([*epochs, self.best], np.float64)}
        return _with_prefix("best.", self._best) | _with_prefix("last.", self._last) | known

    def load_state_dict(self, state_dict: dict[str, Array]) -> None:
        """Take up what ``state_dict`` returned; what it does not tell is seen with the next epoch."""
        self._best, self._last = (_without_prefix(prefix, state_dict) for prefix in ("best.", "last."))
        known = np.ravel(state_dict.get("known", ())).tolist()
        *epochs, self.best = known if len(known) == 3 else (-1, -1, float("nan"))
        self.best_epoch, self.stopped_epoch = (None if epoch < 0 else int(epoch) for epoch in epochs)


def _with_prefix(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {prefix + name: array for name, array in arrays.items()}


def _without_prefix(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
