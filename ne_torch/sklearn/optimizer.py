"""The optimizers of ne_torch, with scikit-learn's hyperparameters and to its numbers."""

from __future__ import annotations

import math
from typing import Any

from ne_torch import SGD, Adam, AdamW, Optimizer
from ne_torch.sklearn.network import Network

__all__ = ["make_optimizer", "prepare_step", "set_learning_rate"]


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


def prepare_step(optimizer: Optimizer, decay: float, epsilon: float) -> None:
    """Set the penalty's factor for a batch, and Adam's epsilon for a step.

    scikit-learn adds epsilon to ``sqrt(v)`` before the correction of v's bias, ne_torch after it: what it
    adds is ``epsilon / sqrt(1 - beta2^t)`` here.
    """
    first, *rest = optimizer._group_settings()
    first.weight_decay = decay
    if isinstance(optimizer, Adam):
        correction = math.sqrt(1 - first.beta2 ** (first.steps + 1))
        for settings in (first, *rest):
            settings.eps = epsilon / correction


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
