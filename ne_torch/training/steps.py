"""Steps: in the engine where it knows all parts, layer by layer otherwise, to the same bits."""

from __future__ import annotations

from typing import Any, Protocol

from ne_torch import _core
from ne_torch._engine import make_engine
from ne_torch._mode import mode
from ne_torch.clipping import Clipping
from ne_torch.data import Scaled
from ne_torch.optimizers import LBFGS, Optimizer
from ne_torch.training.samples import Arrays, Samples, one_batch, part_of
from ne_torch.typing import Array, ArrayLike

__all__ = ["Stepper"]


class PerStep(Protocol):
    """What changes hyperparameters from step to step: a scheduler, where ``per_step``."""

    per_step: bool

    def _coming(self) -> _core.Schedule | None: ...


class Stepper:
    """Trains a model on batches.

    A cursor, ``[rows, total loss]`` of the epoch in progress, is moved on together with the parameters: an
    interrupt falls before both or after both. So is a scheduler that counts steps, with the hyperparameters.
    A cursor of three numbers has the total of ``Optimizer._penalty`` before each step as well.

    Attributes
    ----------
    scheduler : PerStep or None
        Looked at before each step; may be another one for the next.
    clipping : Clipping
        How gradients are clipped.
    """

    def __init__(
        self,
        model: Any,
        loss: Any,
        optimizer: Any,
        scheduler: PerStep | None = None,
        clipping: Clipping = Clipping(),  # noqa: B008 - it cannot change
    ) -> None:
        self._parts = (model, loss, optimizer)
        self.scheduler = scheduler
        self.clipping = clipping
        self.renew()

    def renew(self) -> None:
        """Make the engine anew: model or optimizer have changed since."""
        self.engine = make_engine(*self._parts, self.clipping)

    @property
    def clips(self) -> bool:
        """Whether gradients are clipped."""
        return self.clipping != Clipping()

    def _schedule(self) -> _core.Schedule | None:
        """Return the coming hyperparameters, where a scheduler changes them from step to step."""
        if self.scheduler is None or not self.scheduler.per_step:
            return None
        return self.scheduler._coming()

    def step(self, x: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Train on one batch; return its loss before the update."""
        if isinstance(x, Scaled):
            x = one_batch(self._parts[0], x)
        while self.engine is not None:  # no call in between that a small net would notice
            schedule = None if self.scheduler is None else self._schedule()
            value = self.engine.step(x, target, sample_weight, schedule)
            if value is not None:
                return value
            self.renew()
        return self._by_layers(x, target, sample_weight)

    def run(
        self, data: Samples, order: Array | None, cursor: list[Any], batch_size: int, seconds: float
    ) -> None:
        """Train on the batches that follow the cursor's row, for so long; on one of them at least."""
        x, target, weight = data
        rows = x._for_engine() if isinstance(x, Scaled) else x
        while self.engine is not None and rows is not None and x.ndim == 2:
            if self.engine.run(rows, target, order, cursor, batch_size, seconds, weight, self._schedule()):
                return
            self.renew()
        batch = slice(cursor[0], cursor[0] + batch_size)
        self.train(part_of(data, batch if order is None else order[batch]), cursor)

    def train(self, batch: Arrays, cursor: list[Any]) -> None:
        """Train on one batch, and move the cursor on with it."""
        x, target, weight = batch
        while self.engine is not None:
            if self.engine.step_and_record(x, target, cursor, len(x), weight, self._schedule()):
                return
            self.renew()
        self._by_layers(x, target, weight, cursor)

    def _by_layers(
        self, x: ArrayLike, target: ArrayLike, weight: ArrayLike | None, cursor: list[Any] | None = None
    ) -> float:
        model, loss, optimizer = self._parts
        schedule = self._schedule()
        counted = cursor is not None
        cursor = [0, 0.0] if cursor is None else cursor
        before = list(cursor)
        penalties = [optimizer._penalty()] if len(before) > 2 else []
        buffers: list[Array] = list(getattr(model, "named_buffers", dict)().values())
        kept = [array.copy() for array in buffers]

        def gradients() -> float:
            with mode(model, training=True):
                operands = (target,) if weight is None else (target, weight)
                value: float = loss.forward(model.forward(x), *operands)
                model.backward(loss.backward())
            if self.clips:
                self.clipping.clip(model.parameters())
            return value

        try:
            value = optimizer.step(gradients) if isinstance(optimizer, LBFGS) else gradients()
            rows = len(x) if counted else 1
            gained = (value * rows, *(penalty * rows for penalty in penalties))
            moved = [before[0] + rows, *(a + b for a, b in zip(before[1:], gained, strict=True))]
            if isinstance(optimizer, Optimizer):
                optimizer._step((cursor, moved), schedule)
            else:
                if not isinstance(optimizer, LBFGS):
                    optimizer.step()
                cursor[:] = moved
        except BaseException:
            if cursor == before:  # the step has not been: neither have its draws and running means
                for array, old in zip(buffers, kept, strict=True):
                    array[...] = old
            raise
        return value

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "engine": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.renew()
