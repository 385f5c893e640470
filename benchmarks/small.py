"""The smallest calls: what is left of a framework when there is no arithmetic; and the quiet after a call."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.timing import repeated, times

TASKS = Path("/proc/self/task")


def with_torch(seconds):
    import torch

    layer, x = torch.nn.Linear(1, 1), torch.ones(1, 1)
    result = {"Linear(1, 1) forward, with autograd": times(repeated(lambda: layer(x)), seconds)}
    with torch.inference_mode():
        result["Linear(1, 1) forward"] = times(repeated(lambda: layer(x)), seconds)
    return result


def used_by_others() -> int:
    """Nanoseconds of processor time that the threads but this one have had, as Linux counts them."""
    others = [task for task in TASKS.iterdir() if int(task.name) != threading.get_native_id()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in others)


def quiet_after(call) -> list[float]:
    """Milliseconds from the return of a call until other threads stop using the processors, of twenty."""
    found = []
    for _ in range(20):
        call()
        begin, used, last = time.perf_counter(), used_by_others(), 0.0
        while (now := time.perf_counter() - begin) < 0.02:
            time.sleep(0.0001)
            if (more := used_by_others()) > used:
                used, last = more, now
        found.append(last * 1000)
    return found


def with_ne_torch(seconds):
    import ne_torch as nt

    layer, x = nt.Linear(1, 1), np.ones((1, 1), "float32")
    model = nt.Sequential(nt.Linear(1, 1))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    large = nt.Sequential(nt.Linear(784, 512), nt.ReLU(), nt.Linear(512, 10))
    large_trainer = nt.Trainer(large, loss=nt.MSELoss(), optimizer=nt.SGD(large.parameters(), lr=0.1))
    images, target = np.ones((256, 784), "float32"), np.ones((256, 10), "float32")

    def empty(*_):
        return None

    return {
        "Linear(1, 1) forward": times(repeated(lambda: layer(x)), seconds),
        "Trainer.step of 1-1, batch 1": times(repeated(lambda: trainer.step(x, x)), seconds),
        "a Python function of two arrays": times(repeated(lambda: empty(x, x)), seconds),
        "milliseconds of CPU use after a call": quiet_after(lambda: large_trainer.step(images, target)),
    }


def measure(peer: str, seconds: float) -> dict[str, object]:
    return {"ne_torch": with_ne_torch, "torch": with_torch}[peer](seconds)
