"""docs/performance_toolbox.md: other losses, activations and optimizers, features in bytes, dropout."""

from __future__ import annotations

from benchmarks import regularised
from benchmarks.problems import RECIPES
from benchmarks.report_answers import LIMIT, Steps
from benchmarks.report_epoch import epoch_text
from benchmarks.report_text import machine_text, median, table, us

LIBRARIES = ("torch", "jax")
QUESTIONS = ("recipes", "epoch", "regularised")


def recipes_text(results: dict) -> str:
    steps = Steps(results, "recipes")
    rows = []
    for net in RECIPES:
        times = [us(steps.times("ne_torch", count, net)) for count in sorted({1, steps.threads})]
        best = [f"{steps.best(library, net)[0]:.4g} ({steps.best(library, net)[1]})" for library in LIBRARIES]
        ratios = [f"{steps.ratio(library, net):.2f}" for library in LIBRARIES]
        rows.append([net.name, *times, *best, *ratios, f"{steps.share(steps.threads, net):.0%}"])
    head = ["net, batch", *(f"us, {count} thread(s)" for count in sorted({1, steps.threads}))]
    head += [
        "best of torch, us",
        "best of JAX, us",
        "torch / ours",
        "JAX / ours",
        "share of peak, all threads",
    ]
    return (
        "The first is the problem of SimpleChains.jl's own benchmark. The share counts the operations of the "
        "products alone, beside the peak of all threads; torch's optimizer was tried fused, foreach and "
        "compiled."
        f"\n\n{table(head, rows)}"
    )


def behind(results: dict) -> list[str]:
    """Where a step is below a floor."""
    steps, lines = Steps(results, "recipes"), []
    for net, (*floors, share) in RECIPES.items():
        for library, floor in zip(LIBRARIES, floors, strict=True):
            ratio, fastest = steps.ratio(library, net), steps.best(library, net)[1]
            if floor is not None and ratio < floor:
                most = steps.limit(library, net)
                lines.append(f"{net.name}: {ratio:.2f} times {fastest} threads, floor {floor}; {most}")
        if share is not None and steps.share(steps.threads, net) < share:
            found = f"{steps.share(steps.threads, net):.0%} of the peak of all threads"
            lines.append(f"{net.name}: {found}, floor {share:.0%}")
    return lines


def regularised_text(results: dict) -> str:
    rows = [
        [name, f"{median(found['seconds']):.2f}", f"{found['right'] / found['images']:.2%}"]
        for name, found in results["regularised"].items()
    ]
    net = "-".join(map(str, regularised.WIDTHS))
    return (
        f"{net}, dropout of {regularised.DROPOUT} before its layers, AdamW, OneCycleLR stepped after each "
        f"batch, {regularised.EPOCHS} epochs in batches of {regularised.BATCH} "
        "(`benchmarks/regularised.py`).\n\n"
        + table(["library, threads", "seconds an epoch", "accuracy on the test images"], rows)
    )


def page(results: dict) -> str:
    """The whole page."""
    slower = "\n".join(f"- {line}" for line in behind(results)) or "Nowhere in this run."
    command = "python -m benchmarks --only recipes epoch regularised"
    return "\n\n".join(
        [
            "# Performance of the toolbox",
            f"Written by `make benchmark`, or by `{command}`; no figure here was typed. One run, on:",
            machine_text(results),
            f"## A training step\n\n{recipes_text(results)}",
            f"## Where ne_torch is behind its floors\n\n{LIMIT}\n\n{slower}",
            f"## An epoch of MNIST, from floats and from bytes\n\n{epoch_text(results)}",
            f"## MNIST with dropout, AdamW and one cycle\n\n{regularised_text(results)}\n",
        ]
    )
