"""Several schedulers as one: SequentialLR, ChainedScheduler."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ne_torch.lr_scheduler.plateau import ReduceLROnPlateau
from ne_torch.lr_scheduler.scheduler import Groups, LRScheduler
from ne_torch.optimizers import Optimizer

__all__ = ["ChainedScheduler", "SequentialLR"]


class Composed(LRScheduler):
    """Base of both: the schedulers in it are asked for values; their own counters stand still."""

    def __init__(
        self, optimizer: Optimizer | None, schedulers: Sequence[LRScheduler], per_step: bool | None
    ) -> None:
        self._schedulers = _checked(schedulers, optimizer, type(self).__name__)
        self._numbers = tuple(dict.fromkeys(n for inner in self._schedulers for n in inner._numbers))
        if per_step is None:
            kinds = {inner.per_step for inner in self._schedulers}
            if len(kinds) > 1:
                raise ValueError(
                    f"{type(self).__name__}: expected schedulers that all count steps or all epochs, got "
                    "both; pass per_step to say what this one counts"
                )
            per_step = kinds.pop()
        super().__init__(self._schedulers[0].optimizer, per_step=per_step)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with that of each scheduler in ``"_schedulers"``."""
        return {**super().state_dict(), "_schedulers": [inner.state_dict() for inner in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned; see ``LRScheduler.load_state_dict``."""
        super().load_state_dict(state_dict)
        for inner, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            inner.load_state_dict(state)

    def _require(self, state_dict: dict[str, Any]) -> None:
        super()._require(state_dict)
        states = state_dict["_schedulers"]
        if len(states) != len(self._schedulers):
            place = f"{type(self).__name__}.load_state_dict"
            raise ValueError(f"{place}: expected {len(self._schedulers)} schedulers, got {len(states)}")
        for inner, state in zip(self._schedulers, states, strict=True):
            inner._require(state)


class SequentialLR(Composed):
    """One scheduler after the other: each begins anew at its milestone, as in torch.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRScheduler
    milestones : list of int
        Where the second begins, the third, ...: one less than schedulers.
    per_step : bool, optional
        What the counter counts; that of the schedulers unless it is said.

    Raises
    ------
    ValueError
        If numbers do not fit, or the schedulers are not of one optimizer.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> from ne_torch.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], lr=1.0)
    >>> warm_up, cosine = LinearLR(optimizer, 0.5, total_iters=2), CosineAnnealingLR(optimizer, T_max=2)
    >>> scheduler = SequentialLR(optimizer, [warm_up, cosine], milestones=[2])
    >>> lrs = []
    >>> for _ in range(4):
    ...     lrs.append(optimizer.lr)
    ...     scheduler.step()
    >>> lrs
    [0.5, 0.75, 1.0, 0.5]
    """

    _told = ("milestones",)

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        *,
        per_step: bool | None = None,
    ) -> None:
        self.milestones = [int(milestone) for milestone in milestones]
        if len(self.milestones) != len(schedulers) - 1 or self.milestones != sorted(set(self.milestones)):
            raise ValueError(
                f"SequentialLR: expected {max(len(schedulers) - 1, 0)} rising milestones, one less than "
                f"schedulers, got {milestones}"
            )
        super().__init__(optimizer, schedulers, per_step)

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:
        """Return what the scheduler whose turn it is makes of it."""
        index = bisect_right(self.milestones, count)
        begin = self.milestones[index - 1] if index else 0
        inner = self._schedulers[index]
        if initial:
            first = [{**group, "lr": base} for group, base in zip(groups, self.base_lrs, strict=True)]
            return _merged(first, inner.next_values(0, first, True))
        if count == begin and index:
            return _merged(groups, inner.restart_values(groups))
        return _merged(groups, inner.next_values(count - begin, groups))


class ChainedScheduler(Composed):
    """Several schedulers at once: each moves what the one before it has made, as in torch.

    Parameters
    ----------
    schedulers : list of LRScheduler
    optimizer : Optimizer, optional
        Theirs.
    per_step : bool, optional
        What the counter counts; that of the schedulers unless it is said.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> from ne_torch.lr_scheduler import ChainedScheduler, ExponentialLR, LinearLR
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], lr=1.0)
    >>> warm_up, decay = LinearLR(optimizer, 0.5, total_iters=1), ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = ChainedScheduler([warm_up, decay])
    >>> scheduler.step()
    >>> optimizer.lr
    0.5
    """

    def __init__(
        self,
        schedulers: Sequence[LRScheduler],
        optimizer: Optimizer | None = None,
        *,
        per_step: bool | None = None,
    ) -> None:
        super().__init__(optimizer, schedulers, per_step)

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:
        """Return what the schedulers make of it one after the other."""
        if initial:  # each has begun already
            return groups
        for inner in self._schedulers:
            groups = _merged(groups, inner.next_values(count, groups))
        return groups


def _merged(groups: Groups, changed: Groups) -> Groups:
    return [{**group, **change} for group, change in zip(groups, changed, strict=True)]


def _checked(schedulers: Sequence[LRScheduler], optimizer: Optimizer | None, place: str) -> list[LRScheduler]:
    result: list[Any] = list(schedulers)
    if not result:
        raise ValueError(f"{place}: expected at least one scheduler, got none")
    for inner in result:
        if not isinstance(inner, LRScheduler) or isinstance(inner, ReduceLROnPlateau):
            raise TypeError(
                f"{place}: expected schedulers that go by their counter, got {type(inner).__name__}"
            )
        if inner.optimizer is not (result[0].optimizer if optimizer is None else optimizer):
            raise ValueError(f"{place}: expected schedulers of one optimizer, got one of another")
    return result
