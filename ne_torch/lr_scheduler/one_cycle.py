"""OneCycleLR."""

from __future__ import annotations

from typing import Any

from ne_torch import _core
from ne_torch._checks import positive_integer
from ne_torch.lr_scheduler.cosine import PI, cosine
from ne_torch.lr_scheduler.scheduler import Groups, LRScheduler, attached, per_group
from ne_torch.optimizers import Optimizer

__all__ = ["OneCycleLR"]


class OneCycleLR(LRScheduler):
    """One rise of lr to max_lr and one fall to almost nothing, momentum the other way round, as in torch.

    L. N. Smith and N. Topin, "Super-convergence: very fast training of neural networks using large learning
    rates", 2017. With ``Trainer`` it moves after every step of the optimizer, always.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float, or list for each parameter group
    total_steps : int, optional
        Of the whole cycle; otherwise ``epochs * steps_per_epoch``.
    epochs, steps_per_epoch : int, optional
    pct_start : float, default 0.3
        The share of the cycle that rises.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool, default True
        Whether momentum (Adam: beta1) moves from max_momentum to base_momentum and back.
    base_momentum, max_momentum : float, or list, default 0.85 and 0.95
    div_factor : float, default 25
        lr begins at max_lr / div_factor ...
    final_div_factor : float, default 1e4
        ... and ends at that / final_div_factor.
    three_phase : bool, default False
        Fall to the beginning's lr as fast as it rose, and only then to the end's.
    last_epoch : int
        See ``LRScheduler``.

    Raises
    ------
    ValueError
        If an argument does not fit, or the optimizer has no momentum to cycle; later, if it is asked for more
        than total_steps steps.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> optimizer = nt.SGD([nt.Parameter(np.ones(1))], momentum=0.9)
    >>> scheduler = nt.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> scheduler.step(), scheduler.step()
    (None, None)
    >>> optimizer.lr, optimizer.momentum
    (1.0, 0.85)
    """

    _told = (
        "total_steps",
        "pct_start",
        "anneal_strategy",
        "cycle_momentum",
        "three_phase",
        "max_lrs",
        "min_lrs",
        "base_momentums",
        "max_momentums",
    )

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        place = "OneCycleLR"
        attached(optimizer, place)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        self.pct_start = _core.finite_number(pct_start, place, "pct_start")
        if not 0 <= self.pct_start <= 1:
            raise ValueError(f"{place}: expected pct_start from 0 to 1, got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f'{place}: expected anneal_strategy "cos" or "linear", got {anneal_strategy!r}')
        self.anneal_strategy = anneal_strategy
        self.three_phase = bool(three_phase)
        self.cycle_momentum = bool(cycle_momentum)
        self._numbers = ("lr", *self._momentum_name(optimizer)) if cycle_momentum else ("lr",)
        self.max_lrs = per_group(max_lr, optimizer, place, "max_lr")
        self.base_momentums = per_group(base_momentum, optimizer, place, "base_momentum")
        self.max_momentums = per_group(max_momentum, optimizer, place, "max_momentum")
        div_factor = _positive(div_factor, "div_factor")
        final_div_factor = _positive(final_div_factor, "final_div_factor")
        firsts = [largest / div_factor for largest in self.max_lrs]
        self.min_lrs = [first / final_div_factor for first in firsts]
        if last_epoch == -1:
            for group, first in zip(optimizer.param_groups, firsts, strict=True):
                group["initial_lr"] = first
        super().__init__(optimizer, last_epoch, per_step=True)

    @staticmethod
    def _momentum_name(optimizer: Optimizer) -> tuple[str]:
        for name in ("beta1", "momentum"):
            if name in optimizer._option_names:
                return (name,)
        raise ValueError(
            f"OneCycleLR: expected an optimizer with momentum or beta1 to cycle, got "
            f"{type(optimizer).__name__}; pass cycle_momentum=False"
        )

    def next_values(self, count: int, groups: Groups, initial: bool = False) -> Groups:  # noqa: ARG002
        """Return the point of the cycle that the count stands for."""
        if count > self.total_steps:
            raise ValueError(
                f"OneCycleLR: expected {self.total_steps} steps at most, its total_steps, got one more"
            )
        begin, end, (from_lr, to_lr), (from_momentum, to_momentum) = self._phase(count)
        share = (count - begin) / (end - begin)
        result = []
        for number in range(len(groups)):
            values = {"lr": self._between(from_lr[number], to_lr[number], share)}
            if self.cycle_momentum:
                values[self._numbers[1]] = self._between(from_momentum[number], to_momentum[number], share)
            result.append(values)
        return result

    def _phase(self, count: int) -> tuple[float, float, Any, Any]:
        """Return first and last step of the phase, and what lr and momentum go from and to."""
        base, high, low = self.base_lrs, self.max_lrs, self.min_lrs
        slow, fast = self.max_momentums, self.base_momentums
        rise, last = float(self.pct_start * self.total_steps) - 1, self.total_steps - 1
        if count <= rise:
            return 0.0, rise, (base, high), (slow, fast)
        if not self.three_phase:
            return rise, last, (high, low), (fast, slow)
        fall = float(2 * self.pct_start * self.total_steps) - 2
        if count <= fall:
            return rise, fall, (high, base), (fast, slow)
        return fall, last, (base, low), (slow, slow)

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "cos":
            return end + (start - end) / 2.0 * (cosine(PI * share) + 1)
        return max((end - start) * share + start, 0.0)  # below 0 behind the last step alone


def _total(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    place = "OneCycleLR"
    if total_steps is not None:
        return positive_integer(total_steps, place, "total_steps")
    if epochs is None or steps_per_epoch is None:
        raise ValueError(f"{place}: expected total_steps, or epochs and steps_per_epoch, got neither")
    return positive_integer(epochs, place, "epochs") * positive_integer(
        steps_per_epoch, place, "steps_per_epoch"
    )


def _positive(value: Any, name: str) -> float:
    number = _core.finite_number(value, "OneCycleLR", name)
    if number <= 0:
        raise ValueError(f"OneCycleLR: expected {name} > 0, got {value!r}")
    return number
