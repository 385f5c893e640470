"""The sections on serving of docs/performance.md."""

from __future__ import annotations

from benchmarks.problems import PREDICTIONS, Net
from benchmarks.report_answers import limit
from benchmarks.report_text import median, peaks, table, us

LIBRARIES = ("onnxruntime", "torch", "numpy")


class Predictions:
    """The answers about predictions, in the terms of the table."""

    def __init__(self, results: dict) -> None:
        self.found, self.threads = results["predict"], results["threads"]
        self.peak = peaks(results)

    def count(self, net: Net) -> int:
        threads = PREDICTIONS[net][0]
        return self.threads if threads == "all" else threads

    def us(self, peer: str, net: Net) -> list[float]:
        return self.found[f"{peer}, {self.count(net)}"][net.name]["us"]

    def best(self, library: str, net: Net) -> float:
        """The median of the fastest way in which a library was tried, with as many threads."""
        end = f", {self.count(net)}"
        names = [name for name in self.found if name.startswith(library) and name.endswith(end)]
        return min((median(self.found[name][net.name]["us"]) for name in names), default=float("nan"))

    def ratio(self, library: str, net: Net) -> float:
        return self.best(library, net) / median(self.us("ne_torch", net))

    def limit(self, library: str, net: Net) -> str:
        return limit(self.best(library, net), net.prediction_flops, self.peak[self.count(net)])


def predictions_table(results: dict) -> str:
    answers = Predictions(results)
    rows = []
    for net in PREDICTIONS:
        ratios = [f"{answers.ratio(library, net):.2f}" for library in LIBRARIES]
        ways = [f"{median(answers.us(f'ne_torch.{way}', net)):.3g}" for way in ("out", "bfloat16", "int8")]
        rows.append([net.name, answers.count(net), us(answers.us("ne_torch", net)), *ratios, *ways])
    head = ["net, batch", "threads", "us"]
    head += [f"{library} / ours" for library in ("onnxruntime", "torch", "NumPy")]
    return table([*head, "us, with out=", "us, bfloat16", "us, int8"], rows)


def behind(results: dict) -> list[str]:
    """Where a prediction is below a floor."""
    answers = Predictions(results)
    return [
        f"prediction of {net.name}, {answers.count(net)} thread(s): {answers.ratio(library, net):.2f} times "
        f"{library}, floor {floor}; {answers.limit(library, net)}"
        for net, (_, *floors) in PREDICTIONS.items()
        for library, floor in zip(LIBRARIES, floors, strict=True)
        if answers.ratio(library, net) < floor
    ]


def startup_table(results: dict) -> str:
    (found,) = results["startup"].values()
    numpy = median(found["import numpy"])
    rows = [[name, f"{median(times):.3g}", f"{median(times) / numpy:.2f}"] for name, times in found.items()]
    return table(["what", "ms", "times `import numpy`"], rows)


def accuracy_table(results: dict) -> str:
    (found,) = results["accuracy"].values()
    rows = [
        [
            name,
            f"{way['right'] / found['images']:.2%}",
            way["changed"],
            f"{way['error']:.2g}",
            f"{way['bytes']:,}",
        ]
        for name, way in found.items()
        if isinstance(way, dict)
    ]
    head = ["weights", f"{found['data']} test accuracy", "answers changed", "largest difference of an output"]
    return table([*head, "bytes"], rows)


def http_table(results: dict) -> str:
    rows = []
    for name, found in results["http"].items():
        for connections, answers in found.items():
            rate, p50, p99 = (median(answers[key]) for key in ("requests a second", "p50 us", "p99 us"))
            rows.append([name.partition(",")[0], connections, f"{rate:,.0f}", f"{p50:.0f}", f"{p99:.0f}"])
    return table(["server with", "load", "requests a second", "p50, us", "p99, us"], rows)


def sections(results: dict) -> dict[str, str]:
    """The sections whose question has been answered."""
    found = {}
    if "predict" in results:
        found["Predictions"] = (
            "A frozen model called from Python. A ratio is the fastest way of that library with as many "
            "threads (onnxruntime: `run`, and bound to fixed arrays; torch: eager in inference mode, and "
            f"compiled) over `predictor(x)`.\n\n{predictions_table(results)}"
        )
    if "startup" in results:
        found["From start to the first prediction"] = startup_table(results)
    if "accuracy" in results:
        found["Reduced weights"] = accuracy_table(results)
    if "http" in results:
        found["A server's view"] = (
            "`examples/serve.py` (Starlette, uvicorn), one process on one processor, loaded by wrk from "
            "the other; a request is one row of 784-128-10 as bytes. Beside it, the same server with "
            "onnxruntime.\n\n" + http_table(results)
        )
    return found
