"""Schedules by factors: LambdaLR, StepLR, MultiStepLR, ExponentialLR."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable

from ne_torch import _core
from ne_torch._checks import positive_integer
from ne_torch.lr_scheduler.scheduler import Groups, LRScheduler, attached
from ne_torch.optimizers import Optimizer

__all__ = ["ExponentialLR", "LambdaLR", "MultiStepLR", "StepLR"]


class LambdaLR(LRScheduler):
    """``lr = base_lr * lr_lambda(count)``, as in torch.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable, or list of them for each parameter group
        Has to be a function of the count alone; it is no part of ``state_dict``.
    last_epoch, per_step
        See ``LRScheduler``.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], lr=1.0)
    >>> scheduler = nt.lr_scheduler.LambdaLR(optimizer, lambda count: 0.5**count)
    >>> scheduler.step()
    >>> optimizer.lr
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
        *,
        per_step: bool = False,
    ) -> None:
        groups = len(attached(optimizer, "LambdaLR").param_groups)
        functions = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(functions) != groups or not all(map(callable, functions)):
            raise ValueError(f"LambdaLR: expected lr_lambda as {groups} functions, got {lr_lambda!r}")
        self.lr_lambdas = functions
        super().__init__(optimizer, last_epoch, per_step=per_step)

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:  # noqa: ARG002
        """Return ``base_lr * lr_lambda(count)``."""
        triples = zip(groups, self.base_lrs, self.lr_lambdas, strict=True)
        return [{**group, "lr": base * factor(count)} for group, base, factor in triples]


class StepLR(LRScheduler):
    """Multiply lr by gamma every step_size steps, as in torch.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float, default 0.1
    last_epoch, per_step
        See ``LRScheduler``.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], lr=1.0)
    >>> scheduler = nt.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     scheduler.step()
    >>> optimizer.lr
    0.25
    """

    _told = ("step_size", "gamma")

    def __init__(
        self,
        optimizer: Optimizer,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
        *,
        per_step: bool = False,
    ) -> None:
        self.step_size = positive_integer(step_size, "StepLR", "step_size")
        self.gamma = _core.finite_number(gamma, "StepLR", "gamma")
        super().__init__(optimizer, last_epoch, per_step=per_step)

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:  # noqa: ARG002
        """Return lr, times gamma where a step begins."""
        if count == 0 or count % self.step_size != 0:
            return groups
        return [{**group, "lr": group["lr"] * self.gamma} for group in groups]


class MultiStepLR(LRScheduler):
    """Multiply lr by gamma at each milestone, as in torch.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : iterable of int
    gamma : float, default 0.1
    last_epoch, per_step
        See ``LRScheduler``.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], lr=1.0)
    >>> scheduler = nt.lr_scheduler.MultiStepLR(optimizer, [1, 3], gamma=0.5)
    >>> for _ in range(4):
    ...     scheduler.step()
    >>> optimizer.lr
    0.25
    """

    _told = ("milestones", "gamma")

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
        *,
        per_step: bool = False,
    ) -> None:
        self.milestones = sorted(int(milestone) for milestone in milestones)
        self.gamma = _core.finite_number(gamma, "MultiStepLR", "gamma")
        super().__init__(optimizer, last_epoch, per_step=per_step)

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:  # noqa: ARG002
        """Return lr, times gamma for each milestone that is reached."""
        reached = bisect_right(self.milestones, count) - bisect_left(self.milestones, count)
        factor = 1.0
        for _ in range(reached):
            factor *= self.gamma
        return [{**group, "lr": group["lr"] * factor} for group in groups] if reached else groups


class ExponentialLR(LRScheduler):
    """Multiply lr by gamma in every step, as in torch.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
    last_epoch, per_step
        See ``LRScheduler``.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], lr=1.0)
    >>> scheduler = nt.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> for _ in range(3):
    ...     scheduler.step()
    >>> optimizer.lr
    0.125
    """

    _told = ("gamma",)

    def __init__(
        self, optimizer: Optimizer, gamma: float, last_epoch: int = -1, *, per_step: bool = False
    ) -> None:
        self.gamma = _core.finite_number(gamma, "ExponentialLR", "gamma")
        super().__init__(optimizer, last_epoch, per_step=per_step)

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:  # noqa: ARG002
        """Return lr times gamma."""
        return groups if initial else [{**group, "lr": group["lr"] * self.gamma} for group in groups]
