"""One epoch: its batches, with turns for Python in between."""

from __future__ import annotations

from ne_torch.training.progress import Progress
from ne_torch.training.samples import Samples, Stream, part_of
from ne_torch.training.state import FitState
from ne_torch.training.steps import Stepper
from ne_torch.typing import Array

__all__ = ["TURN", "train_on_samples", "train_on_stream"]

TURN = 0.02  # seconds that the engine runs before Python can draw, or raise KeyboardInterrupt


def train_on_samples(
    stepper: Stepper, data: Samples, order: Array | None, state: FitState, steps: int | None, bar: Progress
) -> tuple[int | None, bool]:
    """Train on the rest of an epoch, with at most so many steps.

    Return how many of them are left, and whether the epoch is finished.
    """
    cursor = state.cursor
    turn = TURN if steps is None else 0.0  # the engine takes one step at least
    while cursor[0] < state.samples and steps != 0:
        before = cursor[0]
        stepper.run(data, order, cursor, state.batch_size, turn)
        bar.advance(cursor[0] - before)
        steps = None if steps is None else steps - 1
    return steps, cursor[0] >= state.samples


def train_on_stream(
    stepper: Stepper, stream: Stream, state: FitState, steps: int | None, bar: Progress
) -> tuple[int | None, bool]:
    """Do the same with batches that are made on the way; those before the cursor are passed over."""
    cursor, seen = state.cursor, 0
    for batch in stream.epoch(state.epoch):
        before, seen = seen, seen + len(batch[0])
        if before < cursor[0]:
            if seen > cursor[0]:
                raise _others(state, f"a batch that ends at row {seen}")
            continue
        if steps == 0:
            return steps, False
        stepper.train(part_of(batch, slice(None)), cursor)
        bar.advance(seen - before)
        steps = None if steps is None else steps - 1
    if seen < cursor[0]:
        raise _others(state, f"{seen} rows")
    return steps, True


def _others(state: FitState, got: str) -> ValueError:
    return ValueError(
        f"Trainer.fit, Batches: expected the batches of epoch {state.epoch} to be those of the training that "
        f"is resumed, which stopped after {state.cursor[0]} rows, got {got}"
    )
