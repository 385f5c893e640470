"""Where a call of Trainer.fit stands: enough to go on from there to the same bits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ne_torch.history import History
from ne_torch.random import Generator
from ne_torch.typing import Array

if TYPE_CHECKING:
    from ne_torch.lr_scheduler import LRScheduler

__all__ = ["FitState"]


@dataclass
class FitState:
    """The place of training between two steps.

    Attributes
    ----------
    samples, batch_size, shuffle
        What the place refers to; a training that goes on must have the same. The first two are 0 where
        batches are made on the way.
    seed, position : int
        The stream of the orders, at the place where the order of the epoch in progress begins.
    epoch : int
        Epochs that are finished.
    cursor : list
        ``[rows, total]``: samples that the epoch in progress has trained on, and the sum of their losses.
        The engine moves it on with each step.
    history : History
    kept : dict of dicts of arrays
        What each callback remembers, by its place in their list; see ``Callback.state_dict``.
    """

    samples: int
    batch_size: int
    shuffle: bool
    seed: int
    position: int
    epoch: int = 0
    cursor: list[Any] = field(default_factory=lambda: [0, 0.0])
    history: History = field(default_factory=History)
    kept: dict[int, dict[str, Array]] = field(default_factory=dict)

    @property
    def streamed(self) -> bool:
        """Whether batches are made on the way."""
        return self.samples == 0

    def generator(self) -> Generator:
        """Return the stream, about to draw the order of the epoch in progress."""
        return Generator(self.seed, self.position)

    def finish_epoch(self, generator: Generator, scheduler: LRScheduler | None = None) -> None:
        """Stand at the beginning of the next epoch, and have a scheduler that counts epochs step with it.

        Assignments and one call of C++ at the end: no interrupt comes between them.
        """
        if scheduler is None or scheduler.per_step:
            self.epoch, self.cursor, self.position = self.epoch + 1, [0, 0.0], generator.position
            return
        validation = self.history.validation_loss
        watched = validation if len(validation) > self.epoch else self.history.loss
        standing, schedule = scheduler._prepared(watched[-1])
        move_on = schedule.move_on
        self.epoch, self.cursor, self.position = self.epoch + 1, [0, 0.0], generator.position
        scheduler._standing = standing
        move_on(1)

    def require(self, **arguments: object) -> None:
        """Raise ValueError unless the arguments are those of the training that goes on."""
        for name, value in arguments.items():
            if getattr(self, name) != value:
                raise ValueError(
                    f"Trainer.fit: expected {name}={getattr(self, name)}, as in the training that is "
                    f"resumed, got {value}; or train afresh with resume=False"
                )

    def as_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists: all but the arrays that are kept."""
        values = {name: value for name, value in vars(self).items() if name != "kept"}
        return {**values, "history": self.history.as_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FitState:
        """Return the state that as_dict told; ValueError where it cannot be one."""
        state = cls(**{**values, "history": History.from_dict(values["history"])})
        numbers = (state.samples, state.batch_size, state.epoch)
        if (
            any(type(number) is not int or number < 0 for number in numbers)
            or (state.samples == 0) != (state.batch_size == 0)
            or type(state.shuffle) is not bool
        ):
            raise ValueError(f"expected a place of fit, got {values}")
        state.generator()
        rows, total = state.cursor
        if not (type(rows) is int and type(total) is float and state._ends_a_step(rows)):
            raise ValueError(f"expected a place between two steps, got epoch {state.epoch}, {state.cursor}")
        return state

    def _ends_a_step(self, rows: int) -> bool:
        if self.streamed:
            return rows >= 0
        return 0 <= rows <= self.samples and (rows == self.samples or rows % self.batch_size == 0)
