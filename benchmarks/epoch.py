"""An epoch of MNIST: 60,000 images in shuffled batches of 64, by 784-128-10; and the memory it adds.

From float32 features, and from the bytes of the pixels, which the gather converts.
"""

from __future__ import annotations

import resource
import time

import numpy as np

ROWS, BATCH, EPOCHS = 60000, 64, 5
PEERS = ("ne_torch", "ne_torch.uint8", "torch")


def data(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's sizes; the pixels' values do not matter for time."""
    generator = np.random.default_rng(0)
    if dtype == "uint8":
        x = generator.integers(256, size=(ROWS, 784), dtype="uint8")
    else:
        x = generator.random((ROWS, 784), dtype="float32")
    return x, np.eye(10, dtype="float32")[generator.integers(10, size=ROWS)]


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def with_ne_torch(x, target):
    import ne_torch as nt

    model = nt.Sequential(nt.Linear(784, 128, rng=0), nt.ReLU(), nt.Linear(128, 10, rng=1))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    before = megabytes()
    features = nt.data.Scaled(x, 1 / 255) if x.dtype == "uint8" else x
    seconds = trainer.fit(features, target, epochs=EPOCHS, batch_size=BATCH, rng=0).seconds
    return {"seconds": seconds, "megabytes": megabytes() - before, "features": x.nbytes / 2**20}


def with_torch(x, target):
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, target = torch.from_numpy(x), torch.from_numpy(target)
    seconds = []
    for _ in range(EPOCHS):
        begin = time.perf_counter()
        order = torch.randperm(ROWS)
        for first in range(0, ROWS, BATCH):
            batch = order[first : first + BATCH]
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x[batch]), target[batch]).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - begin)
    return {"seconds": seconds}


def measure(peer: str, _seconds: float) -> dict[str, object]:
    library, _, dtype = peer.partition(".")
    return {"ne_torch": with_ne_torch, "torch": with_torch}[library](*data(dtype or "float32"))
