"""Schedules between two values: LinearLR, which warms up, and CosineAnnealingLR."""

from __future__ import annotations

from ne_torch import _core
from ne_torch._checks import positive_integer
from ne_torch.lr_scheduler.cosine import PI, cosine
from ne_torch.lr_scheduler.scheduler import Groups, LRScheduler
from ne_torch.optimizers import Optimizer

__all__ = ["CosineAnnealingLR", "LinearLR"]


class LinearLR(LRScheduler):
    """Move the factor of lr linearly from start_factor to end_factor in total_iters steps, as in torch.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor : float, default 1 / 3
        Above 0, and 1 at most.
    end_factor : float, default 1
        From 0 to 1.
    total_iters : int, default 5
    last_epoch, per_step
        See ``LRScheduler``.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], lr=1.0)
    >>> scheduler = nt.lr_scheduler.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> lrs = []
    >>> for _ in range(5):
    ...     lrs.append(optimizer.lr)
    ...     scheduler.step()
    >>> lrs
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    _told = ("start_factor", "end_factor", "total_iters")

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
        *,
        per_step: bool = False,
    ) -> None:
        self.start_factor = _core.finite_number(start_factor, "LinearLR", "start_factor")
        self.end_factor = _core.finite_number(end_factor, "LinearLR", "end_factor")
        self.total_iters = positive_integer(total_iters, "LinearLR", "total_iters")
        if not 0 < self.start_factor <= 1:
            raise ValueError(f"LinearLR: expected start_factor above 0, and 1 at most, got {start_factor}")
        if not 0 <= self.end_factor <= 1:
            raise ValueError(f"LinearLR: expected end_factor from 0 to 1, got {end_factor}")
        super().__init__(optimizer, last_epoch, per_step=per_step)

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:
        """Return lr times the ratio of the factors now and before."""
        if count == 0:
            factor = self.start_factor
        elif initial or count > self.total_iters:
            return groups
        else:
            width = self.end_factor - self.start_factor
            factor = 1.0 + width / (self.total_iters * self.start_factor + (count - 1) * width)
        return [{**group, "lr": group["lr"] * factor} for group in groups]


class CosineAnnealingLR(LRScheduler):
    """Move lr from its base to eta_min in T_max steps along half a cosine, and back, as in torch.

    ``lr = eta_min + (base_lr - eta_min) (1 + cos(pi count / T_max)) / 2``, by the ratio of one step to the
    one before.

    I. Loshchilov and F. Hutter, "SGDR: Stochastic gradient descent with warm restarts", ICLR 2017.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
    eta_min : float, default 0
    last_epoch, per_step
        See ``LRScheduler``.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], lr=1.0)
    >>> scheduler = nt.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> scheduler.step()
    >>> optimizer.lr
    0.5
    """

    _told = ("T_max", "eta_min")

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 - as in torch
        eta_min: float = 0.0,
        last_epoch: int = -1,
        *,
        per_step: bool = False,
    ) -> None:
        self.T_max = positive_integer(T_max, "CosineAnnealingLR", "T_max")
        self.eta_min = _core.finite_number(eta_min, "CosineAnnealingLR", "eta_min")
        super().__init__(optimizer, last_epoch, per_step=per_step)

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:
        """Return lr one step further along the cosine."""
        if initial:
            return groups
        pairs = list(zip(groups, self.base_lrs, strict=True))
        low = self.eta_min
        if (count - 1 - self.T_max) % (2 * self.T_max) == 0:  # from eta_min, where the ratio has no meaning
            rise = 1 - cosine(PI / self.T_max)
            return [{**group, "lr": group["lr"] + (base - low) * rise / 2} for group, base in pairs]
        now, before = cosine(PI * count / self.T_max), cosine(PI * (count - 1) / self.T_max)
        ratio = (1 + now) / (1 + before)
        return [{**group, "lr": ratio * (group["lr"] - low) + low} for group in groups]

    def restart_values(self, groups: Groups) -> Groups:
        """Return the formula's value at 0."""
        low = self.eta_min
        return [
            {**group, "lr": low + (base - low) * (1 + cosine(0.0)) / 2}
            for group, base in zip(groups, self.base_lrs, strict=True)
        ]
