"""The callbacks of one call of Trainer.fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeAlias

from ne_torch.callbacks import Callback
from ne_torch.history import History
from ne_torch.training.state import FitState

if TYPE_CHECKING:
    from ne_torch.trainer import Trainer

__all__ = ["CallbackLike", "CallbackList"]

CallbackLike: TypeAlias = "Callback | Callable[[int, History], object]"


class CallbackList:
    """Checks callbacks and tells all of them, in order.

    Parameters
    ----------
    callbacks : iterable of Callback or callable
    recorded : list of str
        The columns that the history will have.
    """

    def __init__(self, callbacks: Iterable[CallbackLike], recorded: list[str]) -> None:
        self._callbacks = [_as_callback(callback) for callback in callbacks]
        for callback in self._callbacks:
            if callback.monitor is not None and callback.monitor not in recorded:
                raise ValueError(
                    f"Trainer.fit: expected {type(callback).__name__} to monitor one of {recorded}, got "
                    f"{callback.monitor!r}; pass validation_data and metrics for others"
                )

    @contextmanager
    def told_of(self, trainer: Trainer, state: FitState) -> Iterator[None]:
        """Tell that training begins and ends, and give back and keep what each remembers."""
        with ExitStack() as stack:
            stack.callback(self._keep, state)
            for i, callback in enumerate(self._callbacks):
                callback.load_state_dict(state.kept.get(i, {}))
                stack.callback(callback.train_end, trainer)
                callback.train_begin(trainer)
            yield

    def epoch_end(self, trainer: Trainer, state: FitState) -> bool:
        """Tell of an epoch; return whether one ends the training."""
        told = [c.epoch_end(trainer, state.epoch, state.history) is True for c in self._callbacks]
        self._keep(state)
        return any(told)

    def epoch_finished(self, trainer: Trainer, epoch: int, history: History) -> None:
        """Tell that the place of training is that of the next epoch."""
        for callback in self._callbacks:
            callback.epoch_finished(trainer, epoch, history)

    def _keep(self, state: FitState) -> None:
        state.kept = {i: callback.state_dict() for i, callback in enumerate(self._callbacks)}


def _as_callback(callback: CallbackLike) -> Callback:
    if isinstance(callback, Callback):
        return callback
    if isinstance(callback, type) or not callable(callback):
        raise TypeError(f"Trainer.fit: expected callbacks to be callable, or a Callback, got {callback!r}")
    return _Plain(callback)


class _Plain(Callback):
    """A function of epoch and history."""

    def __init__(self, function: Callable[[int, History], object]) -> None:
        self._function = function

    def epoch_end(self, trainer: Trainer, epoch: int, history: History) -> bool:  # noqa: ARG002
        return self._function(epoch, history) is True
