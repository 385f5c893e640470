"""Steps: in the engine where it knows all parts, layer by layer otherwise, to the same bits."""

from __future__ import annotations

from typing import Any

from ne_torch import _core
from ne_torch._engine import make_engine
from ne_torch._mode import mode
from ne_torch.data import Batches, Scaled
from ne_torch.optimizers import LBFGS, Optimizer
from ne_torch.training.arguments import Rows, samples
from ne_torch.training.progress import Progress
from ne_torch.training.state import FitState
from ne_torch.typing import Array, ArrayLike

__all__ = ["Stepper"]

_TURN = 0.02  # seconds that the engine runs before Python can draw, or raise KeyboardInterrupt


class Stepper:
    """Trains a model on batches.

    A cursor, ``[rows, total loss]`` of the epoch in progress, is moved on together with the parameters: an
    interrupt falls before both or after both. So is a scheduler that counts steps, with the hyperparameters.
    """

    def __init__(self, model: Any, loss: Any, optimizer: Any, scheduler: Any = None) -> None:
        self._parts = (model, loss, optimizer)
        self._scheduler = scheduler
        self.renew()

    def renew(self) -> None:
        """Make the engine anew: model or optimizer have changed since."""
        self.engine = make_engine(*self._parts)

    def _schedule(self) -> _core.Schedule | None:
        """Return the coming hyperparameters, where a scheduler changes them from step to step."""
        if self._scheduler is None or not self._scheduler.per_step:
            return None
        coming: _core.Schedule = self._scheduler._coming()
        return coming

    def step(self, x: ArrayLike, target: ArrayLike) -> float:
        """Train on one batch; return its loss before the update."""
        while self.engine is not None:
            value = self.engine.step(x, target, self._schedule())
            if value is not None:
                return value
            self.renew()
        return self._by_layers(x, target)

    def epoch(
        self, x: Rows, target: Array, order: Array | None, state: FitState, steps: int | None, bar: Progress
    ) -> tuple[int | None, bool]:
        """Train on an epoch, with a turn for Python every _TURN seconds.

        Return how many steps are left, and whether the epoch is finished.
        """
        cursor = state.cursor
        source = x._for_engine() if isinstance(x, Scaled) else x
        size = len(x) if state.batch_size is None else state.batch_size
        while cursor[0] < len(x) and steps != 0:
            before = cursor[0]
            turn = _TURN if steps is None else 0.0  # the engine takes one step at least
            engine = self.engine
            if engine is None or source is None or x.ndim != 2 or target.ndim != 2:
                first = cursor[0]
                batch: Any = slice(first, first + size) if order is None else order[first : first + size]
                self._train(x[batch], target[batch], cursor)
            elif not engine.run(source, target, order, cursor, size, turn, self._schedule()):
                self.renew()
                continue
            bar.advance(cursor[0] - before)
            steps = None if steps is None else steps - 1
        return steps, cursor[0] >= len(x)

    def stream(
        self, batches: Batches, state: FitState, steps: int | None, bar: Progress
    ) -> tuple[int | None, bool]:
        """Train on an epoch of batches that are made on the way; return as ``epoch`` does."""
        seen, cursor = 0, state.cursor
        for pair in batches.epoch(state.epoch):
            x, target = samples(self._parts[0], *pair, "Batches")
            if seen < cursor[0]:  # trained on before the training was resumed
                seen += len(x)
                if seen > cursor[0]:
                    raise ValueError(
                        f"Batches: expected the batches of epoch {state.epoch} to be those of the training "
                        f"that is resumed, which stopped after {cursor[0]} rows, got one that ends at {seen}"
                    )
                continue
            if steps == 0:
                return steps, False
            self._train(x[:] if isinstance(x, Scaled) else x, target, cursor)
            bar.advance(cursor[0] - seen)
            seen = cursor[0]
            steps = None if steps is None else steps - 1
        if seen == 0 or seen < cursor[0]:
            raise ValueError(
                f"Batches: expected at least {max(cursor[0], 1)} rows in epoch {state.epoch}, got {seen}"
            )
        return steps, True

    def _train(self, x: Array, target: Array, cursor: list[Any]) -> None:
        """Train on a batch, and move the cursor on with it."""
        while self.engine is not None:
            if self.engine.step_and_record(x, target, cursor, len(x), self._schedule()):
                return
            self.renew()
        self._by_layers(x, target, cursor)

    def _by_layers(self, x: ArrayLike, target: ArrayLike, cursor: list[Any] | None = None) -> float:
        model, loss, optimizer = self._parts
        schedule = self._schedule()
        counted = cursor is not None
        cursor = [0, 0.0] if cursor is None else cursor
        before = list(cursor)
        buffers: list[Array] = list(getattr(model, "named_buffers", dict)().values())
        kept = [array.copy() for array in buffers]

        def gradients() -> float:
            with mode(model, training=True):
                value: float = loss.forward(model.forward(x), target)
                model.backward(loss.backward())
            return value

        try:
            value = optimizer.step(gradients) if isinstance(optimizer, LBFGS) else gradients()
            rows = len(x) if counted else 1
            moved = [before[0] + rows, before[1] + value * rows]
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
