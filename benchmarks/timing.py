"""Times of a callable: several batches of calls, each long enough for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable


def times(run: Callable[[int], object], seconds: float, repeats: int = 7) -> list[float]:
    """Return microseconds a call for each of `repeats` batches; run(n) makes n calls, seconds is for all."""
    run(2)
    count, elapsed = 1, 0.0
    while elapsed < seconds / repeats / 4:
        begin = time.perf_counter()
        run(count)
        elapsed = time.perf_counter() - begin
        if elapsed < seconds / repeats / 4:
            count *= 4
    count = max(1, int(count * seconds / repeats / elapsed))
    result = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run(count)
        result.append((time.perf_counter() - begin) / count * 1e6)
    return result


def repeated(call: Callable[[], object]) -> Callable[[int], object]:
    """Turn a call into a loop of calls."""

    def run(count: int) -> None:
        for _ in range(count):
            call()

    return run
