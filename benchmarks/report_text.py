"""What every section of docs/performance.md is written with."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable


def median(times: list[float]) -> float:
    return statistics.median(times)


def peaks(results: dict) -> defaultdict[int, float]:
    """GFLOP/s of multiply-adds alone, by the number of threads; NaN where they were not measured."""
    measured = {int(count): median(values) for count, values in results.get("peak", {}).items() if values}
    return defaultdict(lambda: float("nan"), measured)


def table(head: list[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def us(times: list[float]) -> str:
    low, middle, high = statistics.quantiles(times, n=4)
    return (
        f"{middle:.3g} ({low:.3g} to {high:.3g})"
        if middle < 100
        else f"{middle:.0f} ({low:.0f} to {high:.0f})"
    )


def machine_text(results: dict) -> str:
    """The machine of a run, as a list."""
    lines = [f"- {name}: {value}" for name, value in results["machine"].items()]
    if measured := [f"{count} thread(s) {peak:.0f} GFLOP/s" for count, peak in peaks(results).items()]:
        lines.append(f"- FMA peak, measured between the rounds: {', '.join(measured)}")
    return "\n".join(lines)
