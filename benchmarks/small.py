"""The smallest calls: what is left of a framework when there is no arithmetic; and the quiet after a call."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.timing import repeated, times


def with_torch(seconds):
    import torch

    layer, x = torch.nn.Linear(1, 1), torch.ones(1, 1)
    result = {"Linear(1, 1) forward, with autograd": times(repeated(lambda: layer(x)), seconds)}
    with torch.inference_mode():
        result["Linear(1, 1) forward"] = times(repeated(lambda: layer(x)), seconds)
    return result


def quiet_after(call) -> float:
    """Milliseconds from the return of a call until the process stops using its processors."""
    longest = 0.0
    for _ in range(20):
        call()
        begin, last = time.perf_counter(), 0.0
        while (now := time.perf_counter() - begin) < 0.02:
            used = time.process_time()
            time.sleep(0.0002)
            if time.process_time() - used > 0.00015:  # more than this loop itself
                last = now
        longest = max(longest, last)
    return longest * 1000


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
        "milliseconds of CPU use after a call": [quiet_after(lambda: large_trainer.step(images, target))],
    }


def measure(peer: str, seconds: float) -> dict[str, object]:
    return {"ne_torch": with_ne_torch, "torch": with_torch}[peer](seconds)
