"""The progress bar of Trainer.fit, drawn by tqdm in terminal and notebook."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Any

from ne_torch.history import History

__all__ = ["Progress"]


class Progress:
    """Counts samples over all epochs; does nothing unless enabled."""

    def __init__(self, enabled: bool, epochs: int, samples: int) -> None:
        self._bar: Any = None
        if enabled:
            self._bar = _tqdm()(total=epochs * samples or None, unit=" samples", unit_scale=True)

    def advance(self, samples: int) -> None:
        """Tell of samples that have been trained on."""
        if self._bar is not None:
            self._bar.update(samples)

    def epoch_ended(self, history: History) -> None:
        """Show the latest losses and metrics."""
        if self._bar is not None:
            columns = {**history.columns(), **history.metrics}  # here a metric's own name tells enough
            shown = {
                {"validation_loss": "validation"}.get(name, name): f"{column[-1]:.5f}"
                for name, column in columns.items()
                if name in ("loss", "validation_loss", *history.metrics)
            }
            self._bar.set_postfix({"epoch": len(history), **shown})

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _tqdm() -> Any:
    """Return tqdm's bar for where this runs: text, or a widget where a notebook has ipywidgets."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without ipywidgets, text is what is wanted
            from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("Trainer.fit: progress=True needs tqdm; pip install 'ne_torch[progress]'") from None
    return tqdm
