"""docs/performance_estimators.md: fits beside scikit-learn's."""

from __future__ import annotations

from statistics import mean, stdev

from benchmarks import estimators
from benchmarks.report_answers import LIMIT
from benchmarks.report_text import machine_text, median, peaks, table

QUESTIONS = ("estimators",)
HEAD = ["data", "hidden", "epochs", "seconds, ours", "seconds, scikit-learn", "ratio", "floor"]
HEAD += ["at the FMA peak", "score, ours", "score, scikit-learn"]

TEXT = (
    "`MLPClassifier` of both with the same arguments, scikit-learn's defaults but for the hidden layers and "
    "the number of epochs: adam, relu, alpha 1e-4, batches of 200, training until the loss does not get "
    f"better. All threads, float32, medians over {estimators.SEEDS} seeds, with which both draw the same "
    "initial weights and batches; scores on samples held out, mean and standard deviation "
    f"(`benchmarks/estimators.py`). {LIMIT}"
)


def score(values: list[float]) -> str:
    """Mean and standard deviation over the seeds."""
    return f"{mean(values):.4f} ± {stdev(values) if len(values) > 1 else 0:.4f}"


def rows(results: dict) -> list[list[str]]:
    ours, theirs = (
        next(found for name, found in results["estimators"].items() if name.startswith(peer))
        for peer in estimators.PEERS
    )
    peak = peaks(results)[results["threads"]]
    lines = []
    for name, fit in estimators.FITS.items():
        us, them = ours[name], theirs[name]
        seconds = median(us["seconds"]), median(them["seconds"])
        lines.append(
            [
                f"{name.partition(',')[0]}, {us['samples']:,} samples",
                "-".join(map(str, fit.hidden)),
                f"at most {fit.epochs}",
                *(f"{value:.3g}" for value in seconds),
                f"{seconds[1] / seconds[0]:.2f}",
                f"{fit.floor}",
                f"{seconds[1] * peak * 1e9 / median(us['flops']):.1f}",
                *(score(found["scores"]) for found in (us, them)),
            ]
        )
    return lines


def fits_table(results: dict) -> str:
    return table(HEAD, rows(results))


def page(results: dict) -> str:
    """The whole page."""
    command = "python -m benchmarks --only estimators"
    sections = [
        "# Performance beside scikit-learn",
        f"Written by `make benchmark`, or by `{command}`; no figure here was typed. One run, on:",
        machine_text(results),
        TEXT,
        fits_table(results),
    ]
    return "\n\n".join(sections) + "\n"
