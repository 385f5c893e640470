"""Runs in a process of its own with the arguments TASK PEER SECONDS; prints JSON.

The parent has set the numbers of threads in the environment, before any library was loaded.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings

from benchmarks import problems
from benchmarks.timing import repeated, times


def trainer_of(peer: str):
    module, _, variant = peer.partition(".")
    return getattr(importlib.import_module(f"benchmarks.peers.{module}"), variant or "trainer")


def steps(peer: str, nets: list[problems.Net], seconds: float) -> dict[str, object]:
    """Times of a training step of each net; the loss after six steps shows that all compute the same."""
    result: dict[str, object] = {}
    for net in nets:
        run, loss = trainer_of(peer)(net)
        for _ in range(3):
            run(2)
        result[net.name] = {"loss": loss(), "us": times(run, seconds)}
    return result


def layers(peer: str, seconds: float) -> dict[str, object]:
    """Times of a standalone layer, forward and backward, over the grid of shapes."""
    make = importlib.import_module(f"benchmarks.peers.layer_{peer}").layer
    result: dict[str, object] = {}
    for batch, n, m in problems.LAYERS:
        forward, backward = make(batch, n, m)
        result[f"{batch} x {n} -> {m}"] = {
            "forward": times(repeated(forward), seconds),
            "backward": times(repeated(backward), seconds),
        }
    return result


def main() -> None:
    warnings.simplefilter("ignore")
    task, peer, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    if task == "steps":
        result = steps(peer, list(problems.STEPS), seconds)
    elif task == "shapes":
        nets = [net for pair in problems.NEIGHBOURS.items() for net in pair]
        result = steps(peer, list(dict.fromkeys(nets)), seconds)
    elif task == "recipes":
        result = steps(peer, list(problems.RECIPES), seconds)
    elif task == "layers":
        result = layers(peer, seconds)
    else:
        result = importlib.import_module(f"benchmarks.{task}").measure(peer, seconds)
    print("\n" + json.dumps(result))
