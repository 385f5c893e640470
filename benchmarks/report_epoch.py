"""The section on whole epochs."""

from __future__ import annotations

from benchmarks.report_text import median, table


def epoch_text(results: dict) -> str:
    rows, best = [], {}
    for name, entry in results["epoch"].items():
        library = name.split(",")[0]
        best[library] = min(best.get(library, float("inf")), median(entry["seconds"]))
        memory = [f"{entry[what]:.0f}" if what in entry else "-" for what in ("features", "megabytes")]
        rows.append([name, f"{median(entry['seconds']):.3f}", *memory])
    text = table(["library, threads", "seconds an epoch", "MB of features", "MB above the data"], rows)
    ratio, of_bytes = best["torch"] / best["ne_torch"], best["ne_torch.uint8"] / best["ne_torch"]
    return (
        f"{text}\n\nThe best of torch over the best of ne_torch: {ratio:.2f}. From uint8 features an epoch "
        f"takes {of_bytes:.2f} times that from float32."
    )
