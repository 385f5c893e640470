"""The progress bar of Trainer.fit, drawn by tqdm in terminal and notebook."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from ne_torch.history import History

__all__ = ["Progress"]


class Progress:
    """Counts samples over all epochs; does nothing unless enabled."""

    def __init__(self, enabled: bool, epochs: int, samples: int) -> None:
        self._bar: Any = None
        if enabled:
            try:
                from tqdm import tqdm
            except ImportError:
                raise ImportError(
                    "Trainer.fit: progress=True needs tqdm; pip install 'ne_torch[progress]'"
                ) from None
            self._bar = tqdm(total=epochs * samples, unit=" samples", unit_scale=True)

    def advance(self, samples: int) -> None:
        """Tell of samples that have been trained on."""
        if self._bar is not None:
            self._bar.update(samples)

    def epoch_ended(self, history: History) -> None:
        """Show the latest losses."""
        if self._bar is not None:
            shown = {"epoch": len(history), "loss": f"{history.loss[-1]:.5f}"}
            if history.validation_loss:
                shown["validation"] = f"{history.validation_loss[-1]:.5f}"
            self._bar.set_postfix(shown)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
