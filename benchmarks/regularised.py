"""MNIST by 784-512-256-10 with dropout, AdamW and a one-cycle schedule: accuracy and time beside torch's."""

from __future__ import annotations

import itertools
import time

WIDTHS, DROPOUT = (784, 512, 256, 10), (0.2, 0.3, 0.3)  # before each Linear
EPOCHS, BATCH, MAX_LR, WEIGHT_DECAY = 20, 128, 2e-3, 0.01


def data():
    """Return x_train, y_train, x_test, y_test; the features less their mean, over their deviation."""
    from ne_torch.datasets import load_mnist_or_digits

    data, _ = load_mnist_or_digits()
    mean, deviation = data.x_train.mean(), data.x_train.std()
    return (
        (data.x_train - mean) / deviation,
        data.y_train.astype("int64"),
        (data.x_test - mean) / deviation,
        data.y_test.astype("int64"),
    )


def layers(library, inputs: int) -> list:
    """Return the layers, made of a library's classes."""
    found = []
    for p, (n, m) in zip(DROPOUT, itertools.pairwise((inputs, *WIDTHS[1:])), strict=True):
        found += [library.Dropout(p), library.Linear(n, m), library.ReLU()]
    return found[:-1]


def with_ne_torch(x_train, y_train, x_test, y_test):
    import ne_torch as nt

    nt.manual_seed(0)
    model = nt.Sequential(*layers(nt, x_train.shape[1]))
    optimizer = nt.AdamW(model.parameters(), lr=MAX_LR, weight_decay=WEIGHT_DECAY)
    steps = -(-len(x_train) // BATCH)
    schedule = nt.lr_scheduler.OneCycleLR(optimizer, MAX_LR, epochs=EPOCHS, steps_per_epoch=steps)
    trainer = nt.Trainer(model, loss=nt.CrossEntropyLoss(), optimizer=optimizer, scheduler=schedule)
    history = trainer.fit(x_train, y_train, epochs=EPOCHS, batch_size=BATCH, rng=0)
    right = int((model.freeze()(x_test).argmax(axis=1) == y_test).sum())
    return {"seconds": history.seconds, "right": right}


def with_torch(x_train, y_train, x_test, y_test):
    import torch

    torch.manual_seed(0)
    model = torch.nn.Sequential(*layers(torch.nn, x_train.shape[1]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=MAX_LR, weight_decay=WEIGHT_DECAY, fused=True)
    steps = -(-len(x_train) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, MAX_LR, epochs=EPOCHS, steps_per_epoch=steps)
    x, target = torch.from_numpy(x_train), torch.from_numpy(y_train)
    seconds = []
    for _ in range(EPOCHS):
        begin = time.perf_counter()
        order = torch.randperm(len(x))
        for first in range(0, len(x), BATCH):
            batch = order[first : first + BATCH]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[batch]), target[batch]).backward()
            optimizer.step()
            schedule.step()
        seconds.append(time.perf_counter() - begin)
    with torch.inference_mode():
        right = int((model.eval()(torch.from_numpy(x_test)).argmax(dim=1).numpy() == y_test).sum())
    return {"seconds": seconds, "right": right}


def measure(peer: str, _seconds: float) -> dict[str, object]:
    """Return the seconds of each epoch, how many images of the test set are right, and how many there are."""
    arrays = data()
    found = {"ne_torch": with_ne_torch, "torch": with_torch}[peer](*arrays)
    return {**found, "images": len(arrays[3])}
