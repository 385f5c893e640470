"""Batches that are made while training: files in parts, augmentation, data larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ne_torch._checks import positive_integer

__all__ = ["Batches"]


class Batches:
    """Batches from a function or an iterable, which ``Trainer.fit`` takes in the place of x and target.

    One batch is held at a time. Each may have another number of rows. ``evaluate`` and ``validation_data``
    take them, too.

    Parameters
    ----------
    source : callable or iterable
        ``source(epoch)``, with the epoch counted from 0, returns an iterable of ``(x, target)`` or
        ``(x, target, sample_weight)``; or an iterable of these that begins anew with each epoch, such as a
        list. A training that is resumed goes on to the same bits if an epoch's batches are the same whenever
        they are asked for, so a function that shuffles should draw from ``nt.Generator(seed + epoch)``;
        batches that have been trained on are passed over.
    steps : int, optional
        An epoch's number of batches, where it is not to be all of them.

    Raises
    ------
    TypeError
        If the source is neither, or an iterator, which cannot begin anew: pass the function that makes it.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> def noisy_lines(epoch):
    ...     rng = nt.Generator(epoch)
    ...     for _ in range(8):
    ...         x = rng.normal((16, 1), dtype="float32")
    ...         yield x, 3 * x
    >>> model = nt.Sequential(nt.Linear(1, 1, rng=0))
    >>> trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.2))
    >>> history = trainer.fit(nt.data.Batches(noisy_lines), epochs=5)
    >>> round(float(model[0].weight[0, 0]), 3)
    3.0
    """

    def __init__(
        self, source: Callable[[int], Iterable[Any]] | Iterable[Any], steps: int | None = None
    ) -> None:
        if not callable(source) and not isinstance(source, Iterable):
            raise TypeError(f"Batches: expected a function or an iterable, got {type(source).__name__}")
        if isinstance(source, Iterator):
            raise TypeError(
                f"Batches: expected what begins anew with each epoch, got {type(source).__name__}, which can "
                "be iterated once; pass the function that makes it"
            )
        self._source = source
        self._steps = None if steps is None else positive_integer(steps, "Batches", "steps")

    def epoch(self, number: int) -> Iterator[tuple[Any, Any, Any]]:
        """Yield the batches of an epoch, each with its sample_weight or None."""
        source = self._source(number) if callable(self._source) else self._source
        for i, batch in enumerate(source):
            if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
                kind = type(batch).__name__
                raise TypeError(
                    "Batches: expected batches as pairs (x, target), or with sample weights as triples, got "
                    f"another {kind} as batch {i} of epoch {number}"
                )
            x, target, weight = (*batch, None)[:3]
            yield x, target, weight
            if i + 1 == self._steps:
                return
