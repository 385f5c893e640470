"""The optimizers of ne_torch, with scikit-learn's hyperparameters and to its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ne_torch import SGD, Adam, AdamW, Optimizer, _core
from ne_torch.sklearn.network import Network
from ne_torch.typing import Array

__all__ = ["EpochSchedule", "make_optimizer", "set_learning_rate"]


def make_optimizer(estimator: Any, network: Network) -> Optimizer:
    """Return an optimizer whose first group has the weights that are regularised."""
    lr = float(estimator.learning_rate_init)
    decay = float(estimator.alpha) if estimator.solver == "adamw" else 0.0
    groups = [
        {"params": network.weights, "weight_decay": decay},
        {"params": network.others, "weight_decay": 0.0},
    ]
    if estimator.solver == "sgd":
        momentum = float(estimator.momentum)
        nesterov = bool(estimator.nesterovs_momentum) and momentum > 0
        return SGD(groups, lr=lr, momentum=momentum, nesterov=nesterov)
    kind = Adam if estimator.solver == "adam" else AdamW
    betas = (float(estimator.beta_1), float(estimator.beta_2))
    return kind(groups, lr=lr, betas=betas, eps=float(estimator.epsilon))


class EpochSchedule:
    """What changes with each step of an epoch: the penalty's factor, and Adam's epsilon.

    The penalty is ``alpha / 2 ||W||^2`` by the weights of the batch. scikit-learn adds epsilon to ``sqrt(v)``
    before the correction of v's bias, ne_torch after it: ``epsilon / sqrt(1 - beta2^t)`` here.
    """

    per_step = True

    def __init__(self, optimizer: Optimizer, alpha: float, epsilon: float) -> None:
        self._optimizer, self._alpha, self._epsilon = optimizer, alpha, epsilon
        self._schedule: _core.Schedule | None = None

    def begin(self, sums: Array) -> None:
        """Foresee an epoch whose batches have these sums of weights."""
        settings = self._optimizer._group_settings()
        names = ["weight_decay", "eps"] if isinstance(self._optimizer, Adam) else ["weight_decay"]
        values = np.zeros((len(sums) + 1, 2, len(names)))  # the last row is that of no step
        values[:-1, 0, 0] = self._alpha / sums
        values[-1, 0, 0] = values[-2, 0, 0]
        if len(names) > 1:
            first = settings[0].steps + 1
            step = np.arange(first, first + len(values))
            values[:, :, 1] = (self._epsilon / np.sqrt(1 - settings[0].beta2 ** step))[:, None]
        self._schedule = _core.Schedule(settings, names, values, [0])
        self._schedule.move_on(0)  # the settings take on the first row

    def _coming(self) -> _core.Schedule | None:
        return self._schedule if self._schedule is not None and self._schedule.left else None


def set_learning_rate(optimizer: Optimizer, lr: float) -> None:
    """Change the learning rate; scikit-learn's velocity has the one of its time in it, so it is kept so."""
    before = optimizer.lr
    if lr == before:
        return
    if isinstance(optimizer, SGD):
        for velocity in optimizer.velocity():
            if velocity is not None:
                velocity *= before / lr
    optimizer.lr = lr
