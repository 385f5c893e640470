"""ReduceLROnPlateau."""

from __future__ import annotations

import math
from typing import Any

from ne_torch import _core
from ne_torch.lr_scheduler.scheduler import Groups, LRScheduler, attached, per_group
from ne_torch.optimizers import Optimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiply lr by factor when a metric has not become better for more than patience steps, as in torch.

    With ``Trainer`` the metric is the loss of validation_data, or the training's where there is none.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        Which way is better.
    factor : float, default 0.1
        Below 1.
    patience : int, default 10
        Steps without an improvement that are let pass.
    threshold : float, default 1e-4
        How much better counts, ``"rel"`` ative to the best or ``"abs"`` olute, see threshold_mode.
    threshold_mode : {"rel", "abs"}
    cooldown : int, default 0
        Steps after a reduction that do not count.
    min_lr : float, or list for each parameter group
    eps : float, default 1e-8
        Reductions by no more than this are left out.

    Attributes
    ----------
    best : float
        The best metric so far.
    num_bad_epochs, cooldown_counter : int

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], lr=1.0)
    >>> scheduler = nt.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for metric in (3.0, 2.0, 2.0, 2.0):
    ...     scheduler.step(metric)
    >>> optimizer.lr
    0.5
    """

    _told = (
        "mode",
        "factor",
        "patience",
        "threshold",
        "threshold_mode",
        "cooldown",
        "min_lrs",
        "eps",
        "best",
        "cooldown_counter",
        "num_bad_epochs",
    )

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        place = "ReduceLROnPlateau"
        attached(optimizer, place)
        if mode not in ("min", "max"):
            raise ValueError(f'{place}: expected mode "min" or "max", got {mode!r}')
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f'{place}: expected threshold_mode "rel" or "abs", got {threshold_mode!r}')
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor = _core.finite_number(factor, place, "factor")
        if self.factor >= 1:
            raise ValueError(f"{place}: expected factor < 1, got {factor}")
        self.patience, self.cooldown = int(patience), int(cooldown)
        self.threshold = _core.finite_number(threshold, place, "threshold")
        self.min_lrs = per_group(min_lr, optimizer, place, "min_lr")
        self.eps = _core.finite_number(eps, place, "eps")
        super().__init__(optimizer)
        self._standing = (math.inf if mode == "min" else -math.inf, 0, 0)

    best = property(lambda self: self._standing[0], doc="The best metric so far.")
    cooldown_counter = property(lambda self: self._standing[1], doc="Steps left that do not count.")
    num_bad_epochs = property(lambda self: self._standing[2], doc="Steps without an improvement.")

    def step(self, metrics: float) -> None:  # type: ignore[override]  # as in torch
        """Move on by one, given the metric that is watched."""
        standing, schedule = self._prepared(float(metrics))
        self._standing = standing
        schedule.move_on(1)

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:  # noqa: ARG002
        """Return lr as it is: the metric decides, see ``step``."""
        return groups

    def _prepared(self, metric: float | None) -> tuple[Any, _core.Schedule]:
        assert metric is not None
        best, cooldown, bad = self._standing
        if self._is_better(metric, best):
            best, bad = metric, 0
        else:
            bad += 1
        if cooldown > 0:
            cooldown, bad = cooldown - 1, 0
        groups = self._current()
        if bad > self.patience:
            groups, cooldown, bad = self._reduced(groups), self.cooldown, 0
        return (best, cooldown, bad), self._table([groups])

    def _reduced(self, groups: Groups) -> Groups:
        lower = [max(group["lr"] * self.factor, low) for group, low in zip(groups, self.min_lrs, strict=True)]
        return [
            {"lr": lr} if group["lr"] - lr > self.eps else group
            for group, lr in zip(groups, lower, strict=True)
        ]

    def _is_better(self, metric: float, best: float) -> bool:
        if self.mode == "min":
            bound = best * (1.0 - self.threshold) if self.threshold_mode == "rel" else best - self.threshold
            return metric < bound
        bound = best * (self.threshold + 1.0) if self.threshold_mode == "rel" else best + self.threshold
        return metric > bound

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned; see ``LRScheduler.load_state_dict``."""
        self._require(state_dict)
        standing = ("best", "cooldown_counter", "num_bad_epochs")
        for name in ("base_lrs", *(name for name in self._told if name not in standing)):
            setattr(self, name, state_dict[name])
        self._standing = tuple(state_dict[name] for name in standing)
        self._counter[0] = state_dict["last_epoch"]
