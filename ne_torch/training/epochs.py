"""One epoch: its batches, with turns for Python in between."""

from __future__ import annotations

from ne_torch.training.progress import Progress
from ne_torch.training.samples import Samples
from ne_torch.training.state import FitState
from ne_torch.training.steps import Stepper
from ne_torch.typing import Array

__all__ = ["train_on_samples"]

_TURN = 0.02  # seconds that the engine runs before Python can draw, or raise KeyboardInterrupt


def train_on_samples(
    stepper: Stepper, data: Samples, order: Array | None, state: FitState, steps: int | None, bar: Progress
) -> int | None:
    """Finish an epoch, with at most so many steps; return how many of them are left."""
    cursor = state.cursor
    turn = _TURN if steps is None else 0.0  # the engine takes one step at least
    while cursor[0] < state.samples and steps != 0:
        before = cursor[0]
        stepper.run(data, order, cursor, state.batch_size, turn)
        bar.advance(cursor[0] - before)
        steps = None if steps is None else steps - 1
    return steps
