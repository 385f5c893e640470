"""What the results say about steps: the times of a peer, the best of a library, shares of the peak."""

from __future__ import annotations

from benchmarks.problems import Net
from benchmarks.report_text import median, peaks

# torch without an optimizer: one call of a private function updates everything. It is measured beside torch
# as people write it, eager or compiled, and is no part of what is called torch.
BY_HAND = "torch.by_hand"


LIMIT = (
    "Beside a floor: what the ratio would be if a processor did nothing but the products' multiply-adds, and "
    "those at its peak."
)


def limit(theirs: float, flops: float, peak: float) -> str:
    """Say how many times faster than ``theirs`` us so many operations can be, and nothing beside them."""
    return f"{theirs * peak * 1e3 / flops:.2f} at the FMA peak"


class Steps:
    """The answers about training steps, in the terms of the table."""

    def __init__(self, results: dict, question: str = "steps") -> None:
        self.steps, self.threads = results[question], results["threads"]
        self.peak = peaks(results)

    def times(self, peer: str, threads: int, net: Net) -> list[float] | None:
        found = self.steps.get(f"{peer}, {threads}", {}).get(net.name)
        return found and found["us"]

    def best(self, library: str, net: Net) -> tuple[float, str]:
        """The median of the fastest way in which a library was tried, and its name."""
        tried = [
            (median(entry[net.name]["us"]), name)
            for name, entry in self.steps.items()
            if name.startswith(library)
            and net.name in entry
            and (library == BY_HAND or not name.startswith(BY_HAND))
        ]
        return min(tried, default=(float("nan"), "not measured"))

    def ours(self, net: Net) -> float:
        return median(self.times("ne_torch", self.threads, net))

    def ratio(self, library: str, net: Net) -> float:
        return self.best(library, net)[0] / self.ours(net)

    def limit(self, library: str, net: Net) -> str:
        return limit(self.best(library, net)[0], net.flops, self.peak[self.threads])

    def share(self, threads: int, net: Net) -> float:
        return net.flops / median(self.times("ne_torch", threads, net)) / 1e3 / self.peak[threads]
