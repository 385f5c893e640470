"""Training: forward, backward and update, step by step or for whole epochs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ne_torch._checks import positive_integer
from ne_torch.data import Batches
from ne_torch.history import History
from ne_torch.lr_scheduler import LRScheduler
from ne_torch.random import RandomLike
from ne_torch.training.arguments import (
    checked_clipping,
    checked_scheduler,
    reduced,
    require_whole_batch,
)
from ne_torch.training.callback_list import CallbackLike, CallbackList
from ne_torch.training.evaluation import evaluate, named_metrics, require_fit
from ne_torch.training.fit import Run, begin_receipt, begin_state
from ne_torch.training.samples import Stream, source, validation_source
from ne_torch.training.state import FitState
from ne_torch.training.steps import Stepper
from ne_torch.typing import ArrayLike

if TYPE_CHECKING:
    from ne_torch.receipt import Receipt

__all__ = ["History", "Trainer"]


class Trainer:
    """Trains a model on a loss with an optimizer.

    Parameters
    ----------
    model : Layer
        Usually a ``Sequential``.
    loss : Loss
        Reduced to the mean or the sum. Anything with ``forward(prediction, target)`` and ``backward()``.
    optimizer : Optimizer
        Over the model's parameters; anything with ``step()``.
    scheduler : LRScheduler, optional
        Of that optimizer, see ``ne_torch.lr_scheduler``. It is stepped after each epoch of ``fit``
        (``ReduceLROnPlateau`` by the validation loss, or the loss), or with each step of the optimizer where
        it says ``per_step``, in ``step`` as well.
    clip_grad_norm : float, optional
        Scale all gradients of a step down to this norm, as ``clip_grad_norm_`` does.
    clip_grad_value : float, optional
        Bring each element of the gradients into plus or minus this, as ``clip_grad_value_`` does.

    Raises
    ------
    TypeError, ValueError
        If scheduler is none of ne_torch, or that of another optimizer; if both kinds of clipping are asked
        for, or one is not above 0, or of LBFGS, whose line search needs true gradients.

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

    def __init__(
        self,
        model: Any,
        *,
        loss: Any,
        optimizer: Any,
        scheduler: LRScheduler | None = None,
        clip_grad_norm: float | None = None,
        clip_grad_value: float | None = None,
    ) -> None:
        self._model = model
        self._loss = reduced(loss, "Trainer")
        self._optimizer = optimizer
        self._scheduler = checked_scheduler(scheduler, optimizer)
        clipping = checked_clipping(clip_grad_norm, clip_grad_value, optimizer)
        self._stepper = Stepper(model, loss, optimizer, scheduler, clipping)
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
    def scheduler(self) -> LRScheduler | None:
        """What moves the optimizer's learning rates."""
        return self._scheduler

    @property
    def fused(self) -> bool:
        """Whether the C++ engine trains this model; otherwise it is trained layer by layer.

        The engine knows the layers, losses and optimizers of this package; the optimizer has to be over all
        of the model's parameters. Either way gives the same bits; layer by layer leaves gradients behind, the
        engine does not.
        """
        return self._stepper.engine is not None

    def step(self, x: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Train on one batch, in train mode; return its loss before the update.

        Parameters
        ----------
        x : array_like of shape (..., in_features), or ne_torch.data.Scaled
        target : array_like of the shape of the model's output
            Or, where the loss knows classes, integers of shape (...).
        sample_weight : array_like of shape (...), optional
            A weight for each sample; the loss says what it does.

        Raises
        ------
        ValueError, TypeError
            If shapes or dtypes do not fit. No parameter has been changed then.
        RuntimeError
            If another thread is inside this trainer.
        """
        return self._stepper.step(x, target, sample_weight)

    def evaluate(
        self,
        x: ArrayLike | Batches,
        target: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Return the loss over all rows of x, as of one batch, without training, in eval mode.

        x may be ``Batches``, alone: those of their epoch 0 are evaluated.
        """
        data = source(self._model, self._loss, x, target, sample_weight, "Trainer.evaluate")
        return evaluate(self._model, self._loss, data, {})[0]

    def fit(
        self,
        x: ArrayLike | Batches,
        target: ArrayLike | None = None,
        *,
        epochs: int = 1,
        batch_size: int = 64,
        accumulate: int = 1,
        shuffle: bool = True,
        rng: RandomLike = None,
        sample_weight: ArrayLike | None = None,
        validation_data: tuple[ArrayLike, ...] | Batches | None = None,
        metrics: Any = None,
        progress: bool = False,
        callbacks: Iterable[CallbackLike] = (),
        max_steps: int | None = None,
        resume: bool = False,
        receipt: str | os.PathLike[str] | Receipt | None = None,
    ) -> History:
        """Train for whole epochs.

        Parameters
        ----------
        x : array_like of shape (samples, in_features), or of ne_torch.data
            Read as it lies where it has the model's dtype and is C-contiguous, in memory-mapped files too;
            ``Scaled`` keeps bytes, ``Batches`` makes batches on the way.
        target : array_like of shape (samples, ...)
            None beside ``Batches``, which bring theirs, and their sample weights.
        epochs, batch_size : int
            The last batch of an epoch is smaller where batch_size does not divide the samples. ``Batches``
            have sizes of their own.
        accumulate : int, default 1
            One update for so many batches, with the gradient of the loss of all of them together: the bits
            of ``batch_size * accumulate``. The engine computes a large batch in blocks that stay in the
            cache, and takes up each sum where it was left; layer by layer the rows are held together. The
            statistics of batch normalisation, and the mean under sample weights or ignored classes, are
            therefore those of all these rows, where a loop over small batches has a mean of means.
        shuffle : bool, default True
            Whether every epoch takes the samples in a new random order.
        rng : int, Generator, numpy.random.Generator or None
            Where the orders come from.
        sample_weight : array_like of shape (samples,), optional
            A weight for each sample; see ``step``. The epoch's loss in the history is the mean of the
            batches' losses, weighted by their rows.
        validation_data : (x, target), (x, target, sample_weight) or Batches, optional
            Evaluated after every epoch; of ``Batches``, always those of their epoch 0.
        metrics : list or dict, optional
            What else is measured on the validation data after every epoch: names of ``ne_torch.metrics``,
            or functions ``metric(prediction, target) -> float`` of all predictions at once, which are held
            until then; a dict gives them names. ``history.metrics["accuracy"]`` has the numbers.
        progress : bool, default False
            Show a progress bar (needs tqdm).
        callbacks : iterable of Callback or callable
            Those of ``ne_torch.callbacks``, or functions that are called as ``callback(epoch, history)``
            after every epoch, counted from 0; training ends after the epoch for which one returns True.
        max_steps : int, optional
            Return after so many steps, be it in the middle of an epoch.
        resume : bool, default False
            Go on where the last ``fit`` stopped (after an epoch, after max_steps, at an exception or
            KeyboardInterrupt), in this process or in the one whose ``save`` this trainer has loaded. With the
            same x, target, batch_size times accumulate, shuffle and callbacks the result is that of never
            having stopped, to the bit.
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
        data = source(self._model, self._loss, x, target, sample_weight, place)
        batch_size *= positive_integer(accumulate, place, "accumulate")
        if accumulate > 1 and isinstance(data, Stream):
            raise ValueError(
                f"{place}: expected accumulate=1 beside Batches, got {accumulate}; make larger ones"
            )
        batch_size = positive_integer(batch_size, place, "batch_size * accumulate")
        require_whole_batch(self._optimizer, batch_size, data, place)
        validation, measured = None, named_metrics(metrics, place)
        recorded = ["loss", "seconds"]
        if validation_data is not None:
            validation = validation_source(self._model, self._loss, validation_data, place)
            require_fit(self._model, self._loss, validation)  # a wrong shape fails before training
            recorded += ["validation_loss", *(f"validation_{name}" for name in measured)]
        elif measured:
            raise ValueError(f"{place}: expected validation_data to measure {list(measured)} on, got none")
        told = CallbackList(callbacks, recorded)
        state, generator = begin_state(self._state, data, batch_size, bool(shuffle), rng, resume)
        record = begin_receipt(receipt, self, data, state)
        self._state = state
        Run(self, data, validation, measured, state, generator, told, record).train(epochs, steps, progress)
        return state.history

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
