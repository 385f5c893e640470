"""Turns results into docs/performance.md and its picture. Every figure of the page comes from here."""

from __future__ import annotations

from pathlib import Path

from benchmarks import report_serving
from benchmarks.problems import NEIGHBOURS, STEPS
from benchmarks.report_answers import BY_HAND, LIMIT, Steps
from benchmarks.report_epoch import epoch_text
from benchmarks.report_text import machine_text, median, table, us

# The page has sections on these, and names where ne_torch is behind in any of them.
QUESTIONS = ("steps", "shapes", "layers", "epoch", "small")


def steps_table(results: dict) -> str:
    steps = Steps(results)
    rows = []
    for net in STEPS:
        one, all_ = (steps.times("ne_torch", count, net) for count in (1, steps.threads))
        shares = f"{steps.share(1, net):.0%} / {steps.share(steps.threads, net):.0%}"
        ratios = [f"{steps.ratio(library, net):.2f}" for library in ("torch", BY_HAND, "jax", "numpy")]
        rows.append([net.name, us(one), us(all_), *ratios, shares])
    head = ["net, batch", "us, one thread", f"us, {steps.threads} threads"]
    ratios = ["torch / ours", "torch by hand", "JAX / ours", "NumPy / ours"]
    return table([*head, *ratios, "share of peak, one / all"], rows)


def peers_table(results: dict) -> str:
    steps = Steps(results)
    names = list(steps.steps)
    rows = [
        [name, *(f"{median(steps.steps[name][net.name]['us']):.4g}" if net.name in steps.steps[name] else "-"
                 for net in STEPS)]
        for name in names
    ]  # fmt: skip
    return table(["peer, threads", *(net.name for net in STEPS)], rows)


def shapes_table(results: dict) -> str:
    shapes, rows = results["shapes"], []
    for net, neighbour in NEIGHBOURS.items():
        row = [net.name, neighbour.name]
        for count in sorted({1, results["threads"]}):
            found = shapes[f"ne_torch, {count}"]
            rate, other = (n.flops / median(found[n.name]["us"]) / 1e3 for n in (net, neighbour))
            row += [f"{rate:.0f}", f"{other / rate:.2f}"]
        rows.append(row)
    head = ["net, batch", "neighbour", "GFLOP/s, one thread", "neighbour's / this"]
    return table([*head, "GFLOP/s, all", "neighbour's / this"], rows)


def layer_ratios(results: dict) -> list[tuple[str, str, int, float, float]]:
    """(shape, pass, threads, our median, NumPy's over ours)."""
    found = []
    for count in sorted({1, results["threads"]}):
        ours, numpy = (results["layers"][f"{peer}, {count}"] for peer in ("ne_torch", "numpy"))
        for shape in ours:
            for which in ("forward", "backward"):
                mine = median(ours[shape][which])
                found.append((shape, which, count, mine, median(numpy[shape][which]) / mine))
    return found


def layers_table(results: dict) -> str:
    by_shape: dict[str, list[object]] = {}
    for shape, _, _, mine, ratio in layer_ratios(results):
        by_shape.setdefault(shape, [shape]).append(f"{mine:.3g} us, {ratio:.2f}")
    head = ["batch x in -> out"]
    for count in sorted({1, results["threads"]}):
        head += [f"forward, {count} thread{'s' * (count > 1)}", f"backward, {count}"]
    return table(head, by_shape.values())


def thread_ratios(results: dict) -> list[tuple[str, float]]:
    """(what, time with all threads over time with one) for steps, shapes and layers."""
    threads, found = results["threads"], []
    for question in ("steps", "shapes"):
        one, all_ = (results[question][f"ne_torch, {count}"] for count in (1, threads))
        found += [(f"step of {net}", median(all_[net]["us"]) / median(one[net]["us"])) for net in one]
    one, all_ = (results["layers"][f"ne_torch, {count}"] for count in (1, threads))
    for shape in one:
        for which in ("forward", "backward"):
            found.append((f"{which} of {shape}", median(all_[shape][which]) / median(one[shape][which])))
    return found


def small_text(results: dict) -> str:
    rows = [
        [name.split(",")[0], what, f"{median(times):.3g}" + (" ms" if what.startswith("milli") else " us")]
        for name, entry in results["small"].items()
        for what, times in entry.items()
    ]
    return table(["library", "call", "median"], rows)


def behind(results: dict) -> list[str]:
    """Every place where ne_torch is slower than a peer, or than the floor it was built to."""
    steps, lines = Steps(results), []
    for net, floors in STEPS.items():
        for library, floor in zip(("torch", "jax", "numpy"), floors, strict=False):
            ratio, fastest = steps.ratio(library, net), steps.best(library, net)[1]
            if ratio < floor:
                most = steps.limit(library, net)
                lines.append(f"{net.name}: {ratio:.2f} times {fastest} threads, floor {floor}; {most}")
        by_hand, fastest = steps.ratio(BY_HAND, net), steps.best(BY_HAND, net)[1]
        if by_hand < 1:
            lines.append(f"{net.name}: {by_hand:.2f} times {fastest} threads")
        for count, floor in zip((1, steps.threads), floors[3:], strict=True):
            if floor is not None and steps.share(count, net) < floor:
                share = f"{steps.share(count, net):.0%} of the peak"
                lines.append(f"{net.name}: {share} with {count} thread{'s' * (count > 1)}, floor {floor:.0%}")
    for shape, which, count, mine, ratio in layer_ratios(results):
        if ratio < 1:
            lines.append(f"layer {shape}, {which}, {count} threads: {mine:.3g} us, NumPy / ours {ratio:.2f}")
    if "predict" in results:
        lines += report_serving.behind(results)
    lines += [f"{what}: {r:.2f} times one thread's time" for what, r in thread_ratios(results) if r > 1.05]
    return lines


def draw(results: dict, target: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    steps = Steps(results)
    figure, axis = plt.subplots(figsize=(9, 3.6))
    for i, library in enumerate(("ne_torch", "torch", "jax", "numpy")):
        times = [steps.best(library, net)[0] / steps.ours(net) for net in STEPS]
        axis.bar([n + 0.2 * i - 0.3 for n in range(len(STEPS))], times, 0.2, label=library)
    axis.set_xticks(range(len(STEPS)), [net.name.replace(", ", "\nbatch ") for net in STEPS], fontsize=7)
    axis.set(
        yscale="log", ylabel="time of a step over ne_torch's", title="best of each library, lower is faster"
    )
    axis.legend()
    figure.tight_layout()
    figure.savefig(target, dpi=120)


def page(results: dict, notes: str) -> str:
    """The whole of docs/performance.md."""
    slower = "\n".join(f"- {line}" for line in behind(results)) or "Nowhere in this run."
    sections = {
        "Performance": f"Written by `make benchmark`; no figure here was typed. One run, on:\n\n"
        f"{machine_text(results)}\n\n"
        "Each peer ran alone in a process of its own, in interleaved rounds. Times are medians, with "
        "quartiles in brackets. SGD and MSE in float32, ReLU between layers, called from Python. A ratio is "
        "the peer's best median, of all ways and numbers of threads, over ne_torch's with all threads. torch "
        "is eager with its optimizer, or compiled, as the floors have it; torch by hand has no optimizer: "
        "gradients from `torch.autograd.grad`, and one private call that updates all parameters.",
        "A training step": f"{steps_table(results)}\n\n![steps](steps.png)\n\nAll medians, in us:\n\n"
        f"{peers_table(results)}",
        "Where ne_torch is behind": f"Peers, floors, and one thread, wherever they win. {LIMIT}\n\n{slower}",
        "Other shapes": f"A cliff would be a last column far above 1.\n\n{shapes_table(results)}",
        "An epoch of MNIST": epoch_text(results),
        "Standalone layers": "Our median, and NumPy's (matmul and the element-wise work) over it.\n\n"
        + layers_table(results),
        "Small calls": small_text(results),
    } | report_serving.sections(results)
    first, *rest = sections.items()
    body = [f"# {first[0]}\n\n{first[1]}", *(f"## {title}\n\n{text}" for title, text in rest)]
    return "\n\n".join([*body, notes.strip()]) + "\n"
