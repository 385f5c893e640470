"""Training: forward, backward and update, step by step or for whole epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

from ne_torch import _core
from ne_torch._checks import positive_integer
from ne_torch._engine import make_engine
from ne_torch._progress import Progress
from ne_torch.history import History
from ne_torch.random import RandomLike, as_generator
from ne_torch.typing import Array, ArrayLike

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
    optimizer : SGD
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
        self._engine = make_engine(model, loss, optimizer)

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

        The engine knows the layers and losses of this package, and SGD over all of the model's parameters.
        Either way gives the same bits; layer by layer leaves gradients behind, the engine does not.
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
            self._engine = make_engine(self._model, self._loss, self._optimizer)
            return self.step(x, target)
        return value

    def _step_by_layers(self, x: ArrayLike, target: ArrayLike) -> float:
        value: float = self._loss.forward(self._model.forward(x), target)
        self._model.backward(self._loss.backward())
        self._optimizer.step()
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

        Returns
        -------
        History

        Raises
        ------
        ValueError, TypeError
            If shapes, dtypes or arguments do not fit.
        """
        place = "Trainer.fit"
        epochs = positive_integer(epochs, place, "epochs")
        batch_size = positive_integer(batch_size, place, "batch_size")
        x, target = self._samples(x, target, place)
        generator = as_generator(rng)
        callbacks = _callables(callbacks, place)
        if validation_data is not None:
            validation_data = self._samples(*validation_data, f"{place}, validation_data")
            self.evaluate(*(array[:1] for array in validation_data))  # a wrong shape fails before training
        history = History()
        with Progress(progress, epochs, len(x)) as bar:
            for epoch in range(epochs):
                order = generator.permutation(len(x)) if shuffle else None
                begin = perf_counter()
                history.loss.append(self._epoch(x, target, order, batch_size, bar))
                history.seconds.append(perf_counter() - begin)
                if validation_data is not None:
                    history.validation_loss.append(self.evaluate(*validation_data))
                bar.epoch_ended(history)
                if any([callback(epoch, history) is True for callback in callbacks]):  # noqa: C419 - call all
                    break
        return history

    def _epoch(self, x: Array, target: Array, order: Array | None, batch_size: int, bar: Progress) -> float:
        """Train on every sample once, with a turn for Python every _TURN seconds; return the mean loss."""
        total, done = 0.0, 0
        while done < len(x):
            part = None
            if self._engine is not None and x.ndim == target.ndim == 2:
                part = self._engine.run(x, target, order, done, batch_size, _TURN, total)
            rows, total = part or self._batch(x, target, order, done, batch_size, total)
            done += rows
            bar.advance(rows)
        return total / len(x)

    def _batch(
        self, x: Array, target: Array, order: Array | None, first: int, batch_size: int, total: float
    ) -> tuple[int, float]:
        batch = slice(first, first + batch_size) if order is None else order[first : first + batch_size]
        rows = len(x[batch])
        return rows, total + self.step(x[batch], target[batch]) * rows

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
        self._engine = make_engine(self._model, self._loss, self._optimizer)


def _callables(callbacks: Iterable[Callback], place: str) -> list[Callback]:
    result = list(callbacks)
    for callback in result:
        if not callable(callback):
            raise TypeError(f"{place}: expected callbacks to be callable, got {callback!r}")
    return result
