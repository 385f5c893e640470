"""What training recorded."""

from __future__ import annotations

from typing import Any

from ne_torch._extras import extra

__all__ = ["History"]


class History:
    """One entry an epoch.

    Attributes
    ----------
    loss : list of float
        Mean loss over the epoch's samples, each at the parameters of its own step.
    validation_loss : list of float
        Loss over the validation data after the epoch; empty without validation data.
    metrics : dict of lists of float
        The metrics over the validation data after the epoch, by name; ``history.validation_accuracy`` is
        ``history.metrics["accuracy"]``.
    seconds : list of float
        Time of the epoch's training, validation and callbacks not included.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> model = nt.Sequential(nt.Linear(1, 1))
    >>> trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    >>> history = trainer.fit(np.ones((8, 1), "float32"), np.ones((8, 1), "float32"), epochs=3)
    >>> len(history.loss), history.validation_loss
    (3, [])
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.validation_loss: list[float] = []
        self.metrics: dict[str, list[float]] = {}
        self.seconds: list[float] = []

    def columns(self) -> dict[str, list[float]]:
        """Return all that was recorded for the latest epoch, by name.

        Those are ``loss``, ``validation_loss``, ``validation_<metric>`` for each metric, and ``seconds``:
        the names that callbacks monitor, and those of a table's columns.
        """
        metrics = {f"validation_{name}": column for name, column in self.metrics.items()}
        named = {"loss": self.loss, "validation_loss": self.validation_loss, **metrics}
        columns = {**named, "seconds": self.seconds}
        return {name: column for name, column in columns.items() if len(column) == len(self)}

    def plot(self, *names: str, ax: Any = None) -> Any:
        """Draw columns over epochs, counted from 1; needs matplotlib (extra ``plot``).

        Parameters
        ----------
        *names : str
            Of ``columns``; ``loss`` and, where there is one, ``validation_loss`` if none is given.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if None.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ValueError
            If there is no such column.
        """
        columns = self.columns()
        for name in names:
            if name not in columns:
                raise ValueError(f"History.plot: expected one of {list(columns)}, got {name!r}")
        if ax is None:
            with extra("plot", "History.plot", "matplotlib"):
                from matplotlib import pyplot
            ax = pyplot.subplots()[1]
        shown = names or [name for name in ("loss", "validation_loss") if name in columns]
        for name in shown:
            marker = "o" if len(self) == 1 else None
            ax.plot(range(1, len(self) + 1), columns[name], marker=marker, label=name.replace("_", " "))
        ax.set_xlabel("epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
        return ax

    def record(
        self, epoch: int, loss: float, seconds: float, validation: tuple[float, dict[str, float]] | None
    ) -> None:
        """Write an epoch's entries, over those that it may have; called by ``fit``."""
        _write(self.loss, epoch, loss)
        _write(self.seconds, epoch, seconds)
        if validation is not None:
            _write(self.validation_loss, epoch, validation[0])
            for name, value in validation[1].items():
                _write(self.metrics.setdefault(name, []), epoch, value)

    def as_dict(self) -> dict[str, Any]:
        """Return plain lists, by attribute."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> History:
        """Return the history that as_dict told."""
        history = cls()
        for name, told in values.items():
            if name == "metrics":
                history.metrics = {str(metric): list(map(float, column)) for metric, column in told.items()}
            else:
                getattr(history, name).extend(map(float, told))
        return history

    def __getattr__(self, name: str) -> list[float]:
        metrics: dict[str, list[float]] = self.__dict__.get("metrics", {})
        if name.startswith("validation_") and name[len("validation_") :] in metrics:
            return metrics[name[len("validation_") :]]
        raise AttributeError(f"History has no {name!r}; recorded are {[*self.__dict__, *metrics]}")

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        return f"History({', '.join(f'{name}={column}' for name, column in self.columns().items())})"


def _write(column: list[float], epoch: int, value: float) -> None:
    # An epoch whose end was interrupted is told again when it is resumed: assign, never append. What is
    # recorded only since a resumption has no number for the epochs before.
    column.extend([float("nan")] * (epoch - len(column)))
    column[epoch:] = [value]
