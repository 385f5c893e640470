"""The epochs of Trainer.fit: the order of each, its steps, and what is recorded after it."""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING

from ne_torch.data import Scaled
from ne_torch.random import Generator, RandomLike, as_generator
from ne_torch.training.callback_list import CallbackList
from ne_torch.training.epochs import train_on_samples, train_on_stream
from ne_torch.training.evaluation import Metric, evaluate
from ne_torch.training.progress import Progress
from ne_torch.training.samples import Source, Stream
from ne_torch.training.state import FitState

if TYPE_CHECKING:
    from ne_torch.receipt import Receipt
    from ne_torch.trainer import Trainer

__all__ = ["Run", "begin_receipt", "begin_state"]


class Run:
    """One call of ``fit``: trains from a place on, which it moves.

    Parameters
    ----------
    trainer : Trainer
    data, validation : Samples or Stream
        The latter may be None.
    metrics : dict of callables
        Of the validation data.
    state : FitState
    generator : Generator
        The stream of orders, which stands where the state says.
    callbacks : CallbackList
    record : Receipt or None
    """

    def __init__(
        self,
        trainer: Trainer,
        data: Source,
        validation: Source | None,
        metrics: dict[str, Metric],
        state: FitState,
        generator: Generator,
        callbacks: CallbackList,
        record: Receipt | None,
    ) -> None:
        self._trainer, self._data = trainer, data
        self._validation, self._metrics = validation, metrics
        self._state, self._generator = state, generator
        self._callbacks, self._record = callbacks, record

    def train(self, epochs: int, steps: int | None, progress: bool) -> None:
        """Train until so many epochs are finished, so many steps are made, or a callback ends it."""
        state = self._state
        with (
            Progress(progress, epochs, state.samples) as bar,
            self._callbacks.told_of(self._trainer, state),
        ):
            bar.advance(state.epoch * state.samples + state.cursor[0])
            while state.epoch < epochs and steps != 0:
                state.position = self._generator.position
                if self._record is not None:
                    self._record.epoch_begins(self._trainer)
                begin = perf_counter()
                steps, finished = self._epoch(steps, bar)
                if not finished:
                    break
                stop = self._epoch_ended(perf_counter() - begin, bar)
                state.finish_epoch(self._generator, self._trainer.scheduler)
                self._callbacks.epoch_finished(self._trainer, state.epoch - 1, state.history)
                if stop:
                    break

    def _epoch(self, steps: int | None, bar: Progress) -> tuple[int | None, bool]:
        stepper, state = self._trainer._stepper, self._state
        if isinstance(self._data, Stream):
            return train_on_stream(stepper, self._data, state, steps, bar)
        order = self._generator.permutation(state.samples) if state.shuffle else None
        return train_on_samples(stepper, self._data, order, state, steps, bar)

    def _epoch_ended(self, seconds: float, bar: Progress) -> bool:
        """Record the epoch; return whether a callback ends the training."""
        trainer, state = self._trainer, self._state
        validation = None
        if self._validation is not None:
            validation = evaluate(trainer.model, trainer.loss, self._validation, self._metrics)
        state.history.record(state.epoch, state.cursor[1] / state.cursor[0], seconds, validation)
        if self._record is not None:
            self._record.epoch_ended(trainer, state.epoch, state.history.loss[state.epoch])
        bar.epoch_ended(state.history)
        return self._callbacks.epoch_end(trainer, state)


def begin_state(
    before: FitState | None, data: Source, batch_size: int, shuffle: bool, rng: RandomLike, resume: bool
) -> tuple[FitState, Generator]:
    """Return the place to train from, and the stream of orders that stands there."""
    streamed = isinstance(data, Stream)
    samples = 0 if isinstance(data, Stream) else len(data[1])
    batch_size, shuffle = (0, False) if streamed else (batch_size, shuffle)
    if not resume:
        generator = as_generator(rng)
        return FitState(samples, batch_size, shuffle, generator.seed, generator.position), generator
    if before is None:
        raise RuntimeError(
            "Trainer.fit: expected a training to resume, got a trainer that has not begun one; call fit "
            "without resume, or load what a trainer has saved"
        )
    if before.streamed != streamed:
        kinds = ("Batches", "arrays") if before.streamed else ("arrays", "Batches")
        raise ValueError(
            "Trainer.fit: expected {}, as in the training that is resumed, got {}; or train afresh with "
            "resume=False".format(*kinds)
        )
    before.require(samples=samples, batch_size=batch_size, shuffle=shuffle)
    return before, before.generator()


def begin_receipt(
    receipt: str | os.PathLike[str] | Receipt | None,
    trainer: Trainer,
    data: Source,
    state: FitState,
) -> Receipt | None:
    """Return the record that the training is written to, if it is to be."""
    if receipt is None:
        return None
    if isinstance(data, Stream) or isinstance(data[0], Scaled):
        kind = "Batches" if isinstance(data, Stream) else "Scaled"
        raise TypeError(f"Trainer.fit: expected x as an array for a receipt, which hashes it, got {kind}")
    from ne_torch.receipt import Receipt

    record = receipt if isinstance(receipt, Receipt) else Receipt(receipt)
    record.begin(trainer, (data[0], data[1], data[2]), state)
    return record
