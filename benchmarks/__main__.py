"""python -m benchmarks: measure, write results and their pages; `report` writes the pages again."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from benchmarks import (
    epoch,
    estimators,
    http,
    predict,
    report,
    report_epoch,
    report_estimators,
    report_recipes,
    report_serving,
)
from benchmarks.machine import describe
from benchmarks.runner import PEERS, RECIPE_PEERS, ROOT, PeakProbe, run_rounds

TEXTS = {
    "steps": report.steps_table,
    "recipes": report_recipes.recipes_text,
    "shapes": report.shapes_table,
    "layers": report.layers_table,
    "small": report.small_text,
    "epoch": report_epoch.epoch_text,
    "regularised": report_recipes.regularised_text,
    "estimators": report_estimators.fits_table,
    "predict": report_serving.predictions_table,
    "startup": report_serving.startup_table,
    "accuracy": report_serving.accuracy_table,
    "http": report_serving.http_table,
}
RESULTS = ROOT / "benchmarks" / "results" / "results.json"
QUESTIONS = (
    *("steps", "recipes", "shapes", "layers", "epoch", "regularised", "estimators", "small"),
    *("predict", "startup", "accuracy", "http"),
)


def measure(only: list[str], rounds: int, seconds: float) -> dict:
    """Answer the questions; keep earlier answers to the others."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    threads = len(os.sched_getaffinity(0))
    counts = sorted({1, threads})
    results["machine"] = describe()
    results["threads"] = threads
    if "steps" in only or "recipes" in only:
        probe = PeakProbe(threads)
        probe.measure()
        for question, peers in (("steps", PEERS), ("recipes", RECIPE_PEERS)):
            if question in only:
                results[question] = run_rounds(question, peers, counts, rounds, seconds, probe.measure)
        results["peak"] = {"1": probe.one, str(threads): probe.all}
    if "shapes" in only:
        results["shapes"] = run_rounds("shapes", ["ne_torch"], counts, rounds, seconds)
    if "layers" in only:
        results["layers"] = run_rounds("layers", ["ne_torch", "numpy"], counts, rounds, seconds / 4)
    if "epoch" in only:
        results["epoch"] = run_rounds("epoch", epoch.PEERS, counts, 1, seconds)
    if "regularised" in only:
        results["regularised"] = run_rounds("regularised", ["ne_torch", "torch"], counts[-1:], 1, seconds)
    if "estimators" in only:
        results["estimators"] = run_rounds("estimators", estimators.PEERS, counts[-1:], 1, seconds)
    if "small" in only:
        results["small"] = run_rounds("small", ["ne_torch", "torch"], counts[-1:], rounds, seconds)
    if "predict" in only:
        results["predict"] = run_rounds("predict", predict.PEERS, counts, rounds, seconds / 2)
    if "startup" in only:
        results["startup"] = run_rounds("startup", ["ne_torch"], counts[:1], 1, seconds)
    if "accuracy" in only:
        results["accuracy"] = run_rounds("accuracy", ["ne_torch"], counts[-1:], 1, seconds)
    if "http" in only:
        results["http"] = run_rounds("http", http.PEERS, counts[-1:], rounds, seconds)
    return results


def write_pages(results: dict, docs: Path) -> None:
    """Print all answers, and write every page whose questions have them."""
    if answered("performance.md", report.QUESTIONS, results):
        report.draw(results, docs / "steps.png")
        page = report.page(results, (ROOT / "benchmarks" / "notes.md").read_text())
        (docs / "performance.md").write_text(page)
    if answered("performance_toolbox.md", report_recipes.QUESTIONS, results):
        (docs / "performance_toolbox.md").write_text(report_recipes.page(results))
    if answered("performance_estimators.md", report_estimators.QUESTIONS, results):
        (docs / "performance_estimators.md").write_text(report_estimators.page(results))
    for question, text in TEXTS.items():
        if question in results:
            print(f"\n{question}\n\n{text(results)}")


def answered(page: str, questions: tuple[str, ...], results: dict) -> bool:
    missing = [question for question in questions if question not in results]
    if missing:
        print(f"docs/{page} stays as it is: not measured here yet: {', '.join(missing)}")
    return not missing


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["measure", "report"], default="measure")
    parser.add_argument("--only", nargs="+", choices=QUESTIONS, default=list(QUESTIONS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.25, help="for each entry in each round")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the pages go")
    arguments = parser.parse_args()
    if arguments.action == "measure":
        results = measure(arguments.only, arguments.rounds, arguments.seconds)
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=1))
    arguments.docs.mkdir(parents=True, exist_ok=True)
    write_pages(json.loads(RESULTS.read_text()), arguments.docs)


if __name__ == "__main__":
    main()
