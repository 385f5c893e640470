"""Training in batches: the epochs, and what each of them tells."""

from __future__ import annotations

import warnings
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ne_torch import Trainer
from ne_torch.sklearn.objective import Data, Objective
from ne_torch.sklearn.optimizer import EpochSchedule, make_optimizer, set_learning_rate
from ne_torch.sklearn.stopping import Stopping
from ne_torch.training.callback_list import CallbackList
from ne_torch.training.epochs import TURN
from ne_torch.training.state import FitState
from ne_torch.typing import Array

__all__ = ["Stochastic"]


class Stochastic:
    """One call of ``fit`` or ``partial_fit`` with sgd, adam or adamw.

    Parameters
    ----------
    estimator : BaseMLP
        Its fitted attributes are set epoch by epoch.
    objective : Objective
    data, validation : Data
        The latter may be None.
    labels : array or None
        What the validation score compares with.
    anew : bool
        Whether to begin with an optimizer that remembers nothing.
    """

    def __init__(
        self,
        estimator: Any,
        objective: Objective,
        data: Data,
        validation: Data | None,
        labels: Any,
        anew: bool,
    ) -> None:
        self._estimator, self._objective, self._data = estimator, objective, data
        self._batch_size = _batch_size(estimator.batch_size, len(data.target))
        if estimator.normalization == "batch" and len(data.target) % self._batch_size == 1 % self._batch_size:
            raise ValueError(
                f"{type(estimator).__name__}: expected at least 2 samples in each batch for normalization="
                f"'batch', got {len(data.target)} samples in batches of {self._batch_size}; choose another "
                "batch_size"
            )
        network = estimator._network
        if anew or not hasattr(estimator, "_optimizer"):
            estimator._optimizer = make_optimizer(estimator, network)
        optimizer = estimator._optimizer
        self._trainer = Trainer(network.model, loss=objective.loss, optimizer=optimizer)
        self._stepper = self._trainer._stepper
        self._schedule: EpochSchedule | None = None
        if estimator.solver != "adamw":
            self._schedule = EpochSchedule(optimizer, float(estimator.alpha), float(estimator.epsilon))
        self._stepper.scheduler = self._schedule
        self._order = np.arange(len(data.target))
        self._fixed_shares: tuple[Array, Array] | None = None
        self._stopping = Stopping(estimator, objective, validation, labels)

    def train(self, epochs: int) -> None:
        """Train for so many epochs, unless it has converged before."""
        estimator, n = self._estimator, len(self._data.target)
        estimator.n_iter_, estimator.early_stopped_ = 0, False
        state = FitState(n, self._batch_size, bool(estimator.shuffle), 0, 0)
        callbacks = CallbackList(estimator.callbacks or (), self._stopping.columns)
        try:
            with callbacks.told_of(self._trainer, state):
                while estimator.n_iter_ < epochs:
                    begin = perf_counter()
                    self._epoch()
                    watched = self._stopping.look()
                    seconds = perf_counter() - begin
                    state.history.record(state.epoch, estimator.loss_, seconds, watched)
                    stop = callbacks.epoch_end(self._trainer, state)
                    state.epoch += 1
                    callbacks.epoch_finished(self._trainer, state.epoch - 1, state.history)
                    if self._adapt() or stop:
                        break
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=5)

    def finish(self) -> None:
        """Leave the best weights behind, and warn where max_iter has ended the training."""
        self._stopping.restore()
        if self._estimator.n_iter_ == self._estimator.max_iter:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self._estimator.max_iter}) reached and the "
                "optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _epoch(self) -> None:
        estimator, n = self._estimator, len(self._data.target)
        order = None
        if estimator.shuffle:
            drawn = np.arange(n)
            estimator._random_state.shuffle(drawn)
            order = self._order = self._order[drawn]
        share, sums = self._shares(order)
        if self._schedule is not None:
            self._schedule.begin(sums)
        cursor: list[Any] = [0, 0.0, 0.0]
        self._train(order, share, cursor)
        offset = self._data.mean_offset(order, self._batch_size)
        estimator.loss_ = cursor[1] / n / self._objective.divisor + cursor[2] / n + offset
        estimator.n_iter_ += 1
        estimator.t_ += n
        estimator.loss_curve_.append(estimator.loss_)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")

    def _shares(self, order: Array | None) -> tuple[Array, Array]:
        """Return what ``Objective.shares`` does; once where no order changes it."""
        if self._fixed_shares is not None:
            return self._fixed_shares
        n, size = len(self._data.target), self._batch_size
        shares = self._objective.shares(self._data, order, size, self._estimator._network.dtype)
        if order is None or n == size or (self._data.weight is None and n % size == 0):
            self._fixed_shares = shares
        return shares

    def _train(self, order: Array | None, share: Array, cursor: list[Any]) -> None:
        """Train on all batches; those of a sparse matrix are made dense one by one."""
        x, target, size = self._data.x, self._data.target, self._batch_size
        sparse = hasattr(x, "toarray")
        while cursor[0] < len(target):
            if not sparse:
                self._stepper.run((x, target, share), order, cursor, size, TURN)
                continue
            batch = slice(cursor[0], cursor[0] + size)
            rows = batch if order is None else order[batch]
            self._stepper.train((x[rows].toarray(), target[rows], share[rows]), cursor)

    def _adapt(self) -> bool:
        """Change the learning rate where it is due; return whether the training has converged."""
        estimator, optimizer = self._estimator, self._trainer.optimizer
        scheduled = estimator.solver == "sgd"
        if scheduled and estimator.learning_rate == "invscaling":
            lr = float(estimator.learning_rate_init) / (estimator.t_ + 1) ** estimator.power_t
            set_learning_rate(optimizer, lr)
        if not self._stopping.exhausted:
            return False
        if not scheduled or estimator.learning_rate != "adaptive" or optimizer.lr <= 1e-6:
            self._stopping.say("Stopping.")
            self._stopping.exhaust()
            return True
        set_learning_rate(optimizer, optimizer.lr / 5)
        self._stopping.say(f"Setting learning rate to {optimizer.lr:f}")
        estimator._no_improvement_count = 0
        return False


def _batch_size(value: Any, n: int) -> int:
    if value == "auto":
        return min(200, n)
    if value > n:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=6
        )
    return min(int(value), n)
