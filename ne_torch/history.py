"""What training recorded."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["History"]


@dataclass
class History:
    """One entry an epoch.

    Attributes
    ----------
    loss : list of float
        Mean loss over the epoch's samples, each at the parameters of its own step.
    validation_loss : list of float
        Loss over the validation data after the epoch; empty without validation data.
    seconds : list of float
        Time of the epoch's training, validation and callbacks not included.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.loss)
