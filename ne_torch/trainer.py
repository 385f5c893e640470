"""Training: forward, backward and update, step by step or for whole epochs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ne_torch import _core
from ne_torch._checks import positive_integer
from ne_torch._engine import make_engine
from ne_torch._fit_state import FitState
from ne_torch._progress import Progress
from ne_torch.history import History
from ne_torch.optimizers import Optimizer
from ne_torch.random import Generator, RandomLike, as_generator
from ne_torch.typing import Array, ArrayLike

if TYPE_CHECKING:
    from ne_torch.receipt import Receipt

__all__ = ["History", "Trainer"]

Callback = Callable[[int, History], object]

_EVALUATION_ROWS = 1024
_TURN = 0.02  # seconds that the engine runs before Python can draw, or raise KeyboardInterrupt


class Trainer:
    """Trains a model on a loss with an optimizer.

    Parameters
    ----------
    model : Layer
        Usually a ``Sequential``.
    loss : MSELoss
        Anything with ``forward(prediction, target)`` and ``backward()``.
    optimizer : Optimizer
        Over the model's parameters; anything with ``step()``.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> model = nt.Sequential(nt.Linear(1, 1, rng=0))
    >>> trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.5))
    >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
    >>> history = trainer.fit(x, 3 * x, epochs=20, batch_size=16, rng=0)
    >>> round(float(model[0].weight[0, 0]), 3)
    3.0
    """

    def __init__(self, model: Any, *, loss: Any, optimizer: Any) -> None:
        self._model = model
        self._loss = loss
        self._optimizer = optimizer
        self._renew_engine()
        self._state: FitState | None = None

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._model

    @property
    def loss(self) -> Any:
        """The loss that is made small."""
        return self._loss

    @property
    def optimizer(self) -> Any:
        """The optimizer that makes it small."""
        return self._optimizer

    @property
    def fused(self) -> bool:
        """Whether the C++ engine trains this model; otherwise it is trained layer by layer.

        The engine knows the layers, losses and optimizers of this package; the optimizer has to be over all
        of the model's parameters. Either way gives the same bits; layer by layer leaves gradients behind, the
        engine does not.
        """
        return self._engine is not None

    def step(self, x: ArrayLike, target: ArrayLike) -> float:
        """Train on one batch; return its loss before the update.

        Parameters
        ----------
        x : array_like of shape (..., in_features)
        target : array_like of the shape of the model's output

        Raises
        ------
        ValueError, TypeError
            If shapes or dtypes do not fit. No parameter has been changed then.
        RuntimeError
            If another thread is inside this trainer.
        """
        if self._engine is None:
            return self._step_by_layers(x, target)
        value = self._engine.step(x, target)
        if value is None:  # model or optimizer have changed since the engine was made
            self._renew_engine()
            return self.step(x, target)
        return value

    def _renew_engine(self) -> None:
        self._engine = make_engine(self._model, self._loss, self._optimizer)

    def _step_by_layers(self, x: ArrayLike, target: ArrayLike, cursor: list[Any] | None = None) -> float:
        value: float = self._loss.forward(self._model.forward(x), target)
        self._model.backward(self._loss.backward())
        if cursor is None:
            self._optimizer.step()
            return value
        rows = len(x)
        moved = [cursor[0] + rows, cursor[1] + value * rows]
        if isinstance(self._optimizer, Optimizer):
            self._optimizer._step((cursor, moved))
        else:
            self._optimizer.step()
            cursor[:] = moved
        return value

    def evaluate(self, x: ArrayLike, target: ArrayLike) -> float:
        """Return the mean loss over all rows of x, without training."""
        x, target = self._samples(x, target, "Trainer.evaluate")
        total = 0.0
        for begin in range(0, len(x), _EVALUATION_ROWS):
            part = slice(begin, begin + _EVALUATION_ROWS)
            total += self._loss.forward(self._model.forward(x[part]), target[part]) * len(x[part])
        return total / len(x)

    def fit(
        self,
        x: ArrayLike,
        target: ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int = 64,
        shuffle: bool = True,
        rng: RandomLike = None,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        progress: bool = False,
        callbacks: Iterable[Callback] = (),
        max_steps: int | None = None,
        resume: bool = False,
        receipt: str | os.PathLike[str] | Receipt | None = None,
    ) -> History:
        """Train for whole epochs.

        Parameters
        ----------
        x : array_like of shape (samples, in_features)
        target : array_like of shape (samples, ...)
        epochs, batch_size : int
            The last batch of an epoch is smaller where batch_size does not divide the samples.
        shuffle : bool, default True
            Whether every epoch takes the samples in a new random order.
        rng : int, Generator, numpy.random.Generator or None
            Where the orders come from.
        validation_data : (x, target), optional
            Evaluated after every epoch.
        progress : bool, default False
            Show a progress bar (needs tqdm).
        callbacks : iterable of callables
            Each is called as ``callback(epoch, history)`` after every epoch, counted from 0; training ends
            after the epoch for which one returns True.
        max_steps : int, optional
            Return after so many steps, be it in the middle of an epoch.
        resume : bool, default False
            Go on where the last ``fit`` stopped (after an epoch, after max_steps, at an exception or
            KeyboardInterrupt), in this process or in the one whose ``save`` this trainer has loaded. With the
            same x, target, batch_size and shuffle the result is that of never having stopped, to the bit.
            ``epochs`` counts those before as well; the orders go on, and ``rng`` is not looked at.
        receipt : path or Receipt, optional
            Keep a hash of weights and optimizer after each epoch; see ``ne_torch.receipt``.

        Returns
        -------
        History
            Of all epochs, those before a resumption included.

        Raises
        ------
        ValueError, TypeError
            If shapes, dtypes or arguments do not fit.
        RuntimeError
            If resume is asked for and nothing was begun.
        """
        place = "Trainer.fit"
        epochs = positive_integer(epochs, place, "epochs")
        batch_size = positive_integer(batch_size, place, "batch_size")
        steps = positive_integer(max_steps, place, "max_steps") if max_steps is not None else None
        x, target = self._samples(x, target, place)
        callbacks = _callables(callbacks, place)
        if validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
                kind = type(validation_data).__name__
                raise TypeError(
                    f"{place}: expected validation_data as a pair (x, target), got another {kind}"
                )
            validation_data = self._samples(*validation_data, f"{place}, validation_data")
            self.evaluate(*(array[:1] for array in validation_data))  # a wrong shape fails before training
        state, generator = self._begin(len(x), batch_size, bool(shuffle), rng, resume)
        record = None if receipt is None else _begin_receipt(receipt, self, x, target, state)
        self._state, history = state, state.history
        with Progress(progress, epochs, len(x)) as bar:
            bar.advance(state.epoch * len(x) + state.cursor[0])
            while state.epoch < epochs and steps != 0:
                epoch = state.epoch
                state.position = generator.position
                order = generator.permutation(len(x)) if shuffle else None
                if record is not None:
                    record.epoch_begins(self)
                begin = perf_counter()
                steps = self._epoch(x, target, order, state, steps, bar)
                if state.cursor[0] < len(x):
                    break
                # An epoch interrupted from here on is told again when it is resumed: assign, never append.
                history.loss[epoch:] = [state.cursor[1] / len(x)]
                history.seconds[epoch:] = [perf_counter() - begin]
                if validation_data is not None:
                    history.validation_loss[epoch:] = [self.evaluate(*validation_data)]
                if record is not None:
                    record.epoch_ended(self, epoch, history.loss[epoch])
                bar.epoch_ended(history)
                stop = any([callback(epoch, history) is True for callback in callbacks])  # noqa: C419 - call all
                state.finish_epoch(generator)
                if stop:
                    break
        return history

    def _begin(
        self, samples: int, batch_size: int, shuffle: bool, rng: RandomLike, resume: bool
    ) -> tuple[FitState, Generator]:
        """Return the place to train from, and the stream of orders that stands there."""
        if not resume:
            generator = as_generator(rng)
            return FitState(samples, batch_size, shuffle, generator.seed, generator.position), generator
        if self._state is None:
            raise RuntimeError(
                "Trainer.fit: expected a training to resume, got a trainer that has not begun one; call fit "
                "without resume, or load what a trainer has saved"
            )
        self._state.require(samples=samples, batch_size=batch_size, shuffle=shuffle)
        return self._state, self._state.generator()

    def _epoch(
        self, x: Array, target: Array, order: Array | None, state: FitState, steps: int | None, bar: Progress
    ) -> int | None:
        """Finish an epoch, with a turn for Python every _TURN seconds; return the steps that are left."""
        cursor = state.cursor
        while cursor[0] < len(x) and steps != 0:
            before = cursor[0]
            turn = _TURN if steps is None else 0.0  # the engine takes one step at least
            engine = self._engine
            if engine is None or x.ndim != 2 or target.ndim != 2:
                self._batch(x, target, order, state.batch_size, cursor)
            elif not engine.run(x, target, order, cursor, state.batch_size, turn):
                self._renew_engine()
                continue
            bar.advance(cursor[0] - before)
            steps = None if steps is None else steps - 1
        return steps

    def _batch(
        self, x: Array, target: Array, order: Array | None, batch_size: int, cursor: list[Any]
    ) -> None:
        first = cursor[0]
        batch = slice(first, first + batch_size) if order is None else order[first : first + batch_size]
        x, target = x[batch], target[batch]
        while self._engine is not None:
            if self._engine.step_and_record(x, target, cursor, len(x)):
                return
            self._renew_engine()
        self._step_by_layers(x, target, cursor)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write parameters, optimizer and the place of training to a safetensors file, all of it or nothing.

        Needs safetensors (extra ``files``). See ``load``, and ``resume`` in ``fit``.
        """
        from ne_torch.checkpoint import save_trainer

        save_trainer(self, self._state, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read what ``save`` wrote, into a trainer whose model has the same parameters.

        Raises
        ------
        ValueError
            If the file is none of ne_torch's, or does not fit. Nothing has been changed then.
        """
        from ne_torch.checkpoint import load_trainer

        self._state = load_trainer(self, path)

    def _samples(self, x: ArrayLike, target: ArrayLike, place: str) -> tuple[Array, Array]:
        """Return both as arrays whose first axis counts the samples."""
        parameters = self._model.parameters() if hasattr(self._model, "parameters") else []
        dtype = parameters[0].dtype.name if parameters else None
        x, target = _core.as_array(x, place, "x", dtype), _core.as_array(target, place, "target", dtype)
        if x.ndim == 0 or target.ndim == 0 or len(x) != len(target):
            raise ValueError(
                f"{place}: expected x and target with the same number of rows, "
                f"got shapes {x.shape} and {target.shape}"
            )
        if len(x) == 0:
            raise ValueError(f"{place}: expected at least one row, got none")
        return x, target

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engine": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._renew_engine()


def _callables(callbacks: Iterable[Callback], place: str) -> list[Callback]:
    result = list(callbacks)
    for callback in result:
        if not callable(callback):
            raise TypeError(f"{place}: expected callbacks to be callable, got {callback!r}")
    return result


def _begin_receipt(
    receipt: str | os.PathLike[str] | Receipt, trainer: Trainer, x: Array, target: Array, state: FitState
) -> Receipt:
    from ne_torch.receipt import Receipt

    record = receipt if isinstance(receipt, Receipt) else Receipt(receipt)
    record.begin(trainer, x, target, state)
    return record
