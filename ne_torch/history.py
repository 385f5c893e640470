"""What training recorded."""

from __future__ import annotations

__all__ = ["History"]


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

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.validation_loss: list[float] = []
        self.seconds: list[float] = []

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        return f"History(loss={self.loss}, validation_loss={self.validation_loss}, seconds={self.seconds})"
