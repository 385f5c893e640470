"""What a callback of Trainer.fit is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ne_torch.history import History
from ne_torch.typing import Array

if TYPE_CHECKING:
    from ne_torch.trainer import Trainer

__all__ = ["Callback"]


class Callback:
    """Base of callbacks; every method may be left out. A plain function ``f(epoch, history)`` is one, too.

    A call of ``fit`` calls, in the order in which the callbacks stand in its list::

        train_begin
            epoch_end, epoch_finished    after each epoch
        train_end                        however the training ends

    A callback should be a function of the history, and of the model as it is then: an epoch whose end was
    interrupted is told again when the training is resumed. What it has to remember besides are arrays that it
    names in ``state_dict``. ``fit(resume=True)`` hands them to the callback at the same place of the list, in
    this process or, through ``Trainer.save`` and ``Trainer.load``, in another.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> class StopBelow(nt.callbacks.Callback):
    ...     def epoch_end(self, trainer, epoch, history):
    ...         return history.loss[-1] < 1e-3
    >>> model = nt.Sequential(nt.Linear(1, 1, rng=0))
    >>> trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.5))
    >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
    >>> len(trainer.fit(x, 3 * x, epochs=100, batch_size=16, rng=0, callbacks=[StopBelow()])) < 100
    True
    """

    monitor: str | None = None
    """The column of the history that is looked at; ``fit`` refuses to begin where there will be none."""

    def train_begin(self, trainer: Trainer) -> None:
        """Prepare for a call of ``fit``, after ``load_state_dict``."""

    def epoch_end(self, trainer: Trainer, epoch: int, history: History) -> bool | None:
        """Look at an epoch, counted from 0; return True to end the training after it."""

    def epoch_finished(self, trainer: Trainer, epoch: int, history: History) -> None:
        """Act when all callbacks have been told: what is saved here is resumed with the next epoch."""

    def train_end(self, trainer: Trainer) -> None:
        """Clean up: epochs, steps or a callback have ended the training, or an exception has."""

    def state_dict(self) -> dict[str, Array]:
        """Return the arrays that a resumed training needs."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Array]) -> None:
        """Take up what ``state_dict`` returned; it is empty where a training begins."""
