"""What all schedulers have in common: a counter, and the step from one row of hyperparameters to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np

from ne_torch import _core
from ne_torch._checks import step_count
from ne_torch.optimizers import Optimizer

__all__ = ["Groups", "LRScheduler", "attached", "per_group"]

Groups: TypeAlias = list[dict[str, float]]  # the numbers that a scheduler moves, of each parameter group

_COMING = 64  # rows that are worked out at once, for the engine to use up


class LRScheduler:
    """Base of schedulers: moves an optimizer's learning rates, as in torch.optim.lr_scheduler.

    A scheduler of your own defines ``next_values``. With ``Trainer(..., scheduler=...)`` it is stepped after
    each epoch, or after each step of the optimizer where ``per_step`` is true; otherwise call ``step``.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int, default -1
        The counter to go on from, in groups that have an ``"initial_lr"``; -1 begins.
    per_step : bool, default False
        Whether the counter counts steps of the optimizer, not epochs. Only ``Trainer`` asks.

    Attributes
    ----------
    last_epoch : int
        How often ``step`` has been called.
    base_lrs : list of float
        The learning rate of each parameter group at the beginning.

    Raises
    ------
    TypeError
        If optimizer is none of ne_torch.
    ValueError
        If an argument does not fit.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> class Halving(nt.lr_scheduler.LRScheduler):
    ...     def next_values(self, count, groups, initial=False):
    ...         return groups if initial else [{"lr": group["lr"] / 2} for group in groups]
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], lr=1.0)
    >>> Halving(optimizer).step()
    >>> optimizer.lr
    0.5
    """

    _told: ClassVar[tuple[str, ...]] = ()  # attributes that are part of state_dict
    _numbers: tuple[str, ...] = ("lr",)  # hyperparameters that it moves

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, *, per_step: bool = False) -> None:
        self.optimizer = attached(optimizer, type(self).__name__)
        self.per_step = bool(per_step)
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ValueError(
                    f'{type(self).__name__}: expected "initial_lr" in param_groups[{number}] to go on from '
                    f"last_epoch={last_epoch}; begin with last_epoch=-1 and load_state_dict instead"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self._counter = [int(last_epoch)]
        self._schedule: _core.Schedule | None = None
        self._standing: Any = None  # what a scheduler remembers besides its counter
        self._table([self.next_values(last_epoch + 1, self._current(), True)]).move_on(1)

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:
        """Return the hyperparameters at a count from those at the one before.

        Parameters
        ----------
        count : int
            What ``last_epoch`` will be.
        groups : list of dict
            The hyperparameters of each group now, such as ``{"lr": 0.1}``.
        initial : bool
            Whether the scheduler is only being made.

        Returns
        -------
        list of dict
            New dicts. It has to be a function of the arguments alone: it is asked for many steps ahead.
        """
        raise NotImplementedError(f"{type(self).__name__} has no next_values")

    def restart_values(self, groups: Groups) -> Groups:
        """Return the hyperparameters where another scheduler hands over to this one, in ``SequentialLR``."""
        first = [{**group, "lr": base} for group, base in zip(groups, self.base_lrs, strict=True)]
        return self.next_values(0, first, True)

    @property
    def last_epoch(self) -> int:
        """How often ``step`` has been called."""
        return self._counter[0]

    def get_last_lr(self) -> list[float]:
        """Return the learning rate of each parameter group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Move on by one."""
        standing, schedule = self._prepared(None)
        self._standing = standing
        schedule.move_on(1)

    def _prepared(self, metric: float | None) -> tuple[Any, _core.Schedule]:  # noqa: ARG002 - of the plateau
        """Return what there will be to remember after a step, and the schedule that takes it."""
        return self._standing, self._coming()

    def _current(self) -> Groups:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ValueError(
                f"{type(self).__name__}: expected the {len(self.base_lrs)} parameter groups that there were "
                f"when it was made, got {len(groups)}"
            )
        return [{name: group[name] for name in self._numbers} for group in groups]

    def _coming(self) -> _core.Schedule:
        """Return hyperparameters from now on, one row of them at least besides the current one."""
        schedule = self._schedule
        if schedule is None or not schedule.left or not schedule.current():
            schedule = self._schedule = self._table(self._rows(_COMING if self.per_step else 1))
        return schedule

    def _rows(self, count: int) -> list[Groups]:
        rows: list[Groups] = []
        groups = self._current()
        for ahead in range(1, count + 1):
            try:
                coming = self.next_values(self.last_epoch + ahead, groups)
            except ValueError:
                if rows:  # the schedule ends: it will be said when the last row has been used
                    return rows
                raise
            rows.append(coming)
            pairs = zip(coming, groups, strict=True)
            if any((new[name] == 0) != (old[name] == 0) for new, old in pairs for name in old):
                return rows  # momentum wants a state from here on, which an engine has to learn of
            groups = coming
        return rows

    def _table(self, rows: Sequence[Groups]) -> _core.Schedule:
        kind, place = type(self.optimizer), type(self).__name__
        values = [
            [[getattr(kind, name).checked(group[name], place) for name in self._numbers] for group in row]
            for row in (self._current(), *rows)
        ]
        settings = self.optimizer._group_settings()
        return _core.Schedule(settings, self._numbers, np.array(values, "float64"), self._counter)

    def state_dict(self) -> dict[str, Any]:
        """Return what determines the coming hyperparameters, besides those that the optimizer has."""
        told = {name: getattr(self, name) for name in self._told}
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs), **told}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned; the optimizer's own state is loaded by the optimizer.

        Raises
        ------
        ValueError
            If a name is missing or unknown. Nothing has been changed then.
        """
        self._require(state_dict)
        for name in ("base_lrs", *self._told):
            setattr(self, name, state_dict[name])
        self._counter[0] = state_dict["last_epoch"]
        self._schedule = None

    def _require(self, state_dict: dict[str, Any]) -> None:
        place, expected = f"{type(self).__name__}.load_state_dict", self.state_dict()
        if state_dict.keys() != expected.keys():
            raise ValueError(f"{place}: expected the keys {sorted(expected)}, got {sorted(state_dict)}")
        step_count(state_dict["last_epoch"], place, "last_epoch", least=-1)
        lrs = state_dict["base_lrs"]
        if not isinstance(lrs, list) or len(lrs) != len(self.base_lrs):
            raise ValueError(f"{place}: expected base_lrs of {len(self.base_lrs)} groups, got {lrs!r}")
        for name in ("base_lrs", *self._told):
            own, found = getattr(self, name), state_dict[name]
            if not _alike(found, own):
                raise ValueError(f"{place}: expected {name} of the kind of {own!r}, got {found!r}")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_schedule": None}

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={getattr(self, name)}" for name in self._told)
        return f"{type(self).__name__}({told})"


def _alike(value: Any, own: Any) -> bool:
    """Whether a value may stand for one of a scheduler's own: a list, a number or a word as that is."""
    if isinstance(own, (list, tuple)):
        return isinstance(value, (list, tuple)) and all(_alike(v, o) for o in own[:1] for v in value)
    return type(value) in ((int, float) if type(own) is float else (type(own),))


def attached(optimizer: Any, place: str) -> Optimizer:
    """Return the optimizer; TypeError where it is none of ne_torch."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{place}: expected an optimizer of ne_torch, got {type(optimizer).__name__}")
    return optimizer


def per_group(value: Any, optimizer: Optimizer, place: str, name: str) -> list[float]:
    """Return a number for each parameter group, from one number or a list of them."""
    groups = len(optimizer.param_groups)
    values = list(value) if isinstance(value, (list, tuple)) else [value] * groups
    if len(values) != groups:
        raise ValueError(f"{place}: expected {name} for {groups} groups, got {len(values)} of them")
    return [_core.finite_number(item, place, name) for item in values]
