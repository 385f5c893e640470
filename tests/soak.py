"""A soak: four Python threads train, predict, save and load under random interrupts, for minutes.

    python tests/soak.py --minutes 10

Each thread trains the same net again and again, in pieces of random length, while interrupts hit it at random
moments; now and then it saves, loads into a fresh trainer, and goes on there. Each training has to end with
the bits of an undisturbed one, each prediction of the shared predictor with the bits of the first, and the
process must not grow. Prints its figures, and fails with a message where one of these does not hold.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import ne_torch as nt
import numpy as np

EPOCHS, BATCH = 12, 32
# Python and the heap grow in pieces of a megabyte, and whole pieces come and go. What an operation loses
# would be an object, and the smallest takes 16 bytes.
PIECES, LEAST_LOSS = 4 << 20, 16


class Interrupt(Exception):  # noqa: N818 - as KeyboardInterrupt is no error
    """Comes at any moment, as KeyboardInterrupt does in the main thread."""


def normal(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


X, TARGET = normal((2048, 64), 0), normal((2048, 8), 1)


def make_trainer():
    model = nt.Sequential(nt.Linear(64, 128, rng=1), nt.ReLU(), nt.Linear(128, 8, rng=2))
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.01, momentum=0.9))


def bits(trainer):
    velocity = trainer.optimizer.state_dict()["velocity"]
    return b"".join(a.tobytes() for a in (*(p.data for p in trainer.model.parameters()), *velocity))


def fit(trainer, **options):
    begun = trainer._state is not None
    trainer.fit(X, TARGET, epochs=EPOCHS, batch_size=BATCH, rng=3, resume=begun, **options)


def undisturbed():
    trainer = make_trainer()
    fit(trainer)
    return bits(trainer)


class Worker(threading.Thread):
    def __init__(self, number, folder, shared, stop):
        super().__init__(name=f"worker {number}")
        self.rng, self.path = random.Random(number), folder / f"{number}.safetensors"
        self.predictor, self.prediction, self.expected = shared
        self.stop, self.trainer = stop, make_trainer()
        self.counts = dict.fromkeys(("trainings", "interrupts", "saves", "loads", "predictions"), 0)
        self.failure = None

    def run(self):
        while True:
            try:
                return self.go_on()
            except Interrupt:  # outside of the loop below, between two of its statements
                pass

    def go_on(self):
        while not self.stop.is_set() and self.failure is None:
            try:
                self.do_something()
            except Interrupt:
                self.counts["interrupts"] += 1
            except BaseException as error:  # told by the main thread
                self.failure = error

    def do_something(self):
        kind = self.rng.random()
        if kind < 0.15:
            self.trainer.save(self.path)
            self.counts["saves"] += 1
        elif kind < 0.25 and self.path.exists():
            fresh = make_trainer()
            fresh.load(self.path)
            self.trainer = fresh
            self.counts["loads"] += 1
        elif kind < 0.5:
            rows = self.rng.choice([1, 3, 64, 2048])
            found = self.predictor(X[:rows])
            assert found.tobytes() == self.prediction[:rows].tobytes(), "a prediction differs"
            self.counts["predictions"] += 1
        else:
            fit(self.trainer, max_steps=self.rng.choice([None, 1, 17, 200]))
            if self.trainer._state.epoch == EPOCHS:
                assert bits(self.trainer) == self.expected, "a training differs from the undisturbed one"
                self.counts["trainings"] += 1
                self.trainer = make_trainer()
                self.path.unlink(missing_ok=True)


def interrupt(thread):
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Interrupt))


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(seconds):
    """Return the figures of a soak; AssertionError, with what failed, otherwise."""
    predictor = make_trainer().model.freeze()
    shared = predictor, predictor(X), undisturbed()
    stop, rng = threading.Event(), random.Random(0)
    memory, count = np.zeros(int(seconds * 1000) + 100, "int64"), 0  # all of it now: a list would grow, too
    memory.fill(1)
    with tempfile.TemporaryDirectory() as folder:
        workers = [Worker(i, Path(folder), shared, stop) for i in range(4)]
        for worker in workers:
            worker.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end and all(worker.failure is None for worker in workers):
            time.sleep(rng.random() * 0.05)
            interrupt(rng.choice(workers))
            memory[count % len(memory)] = resident()
            count += 1
        stop.set()
        for worker in workers:
            worker.join()
    for worker in workers:
        if worker.failure is not None:
            raise AssertionError(f"{worker.name}: {worker.failure!r}") from worker.failure
        assert all(np.isfinite(p.data).all() for p in worker.trainer.model.parameters())
    tenth = count // 10
    early, half, late = (statistics.median(memory[i * tenth : (i + 1) * tenth]) for i in (1, 5, 9))
    growth = late - early
    figures = {name: sum(worker.counts[name] for worker in workers) for name in workers[0].counts}
    figures |= {"seconds": round(seconds), "growth_of_memory_in_kB": round(growth / 1024)}
    figures["of_that_in_the_second_half"] = round((late - half) / 1024)
    assert figures["trainings"] > 0, figures
    operations = sum(figures[name] for name in ("trainings", "saves", "loads", "predictions"))
    assert growth < max(PIECES, LEAST_LOSS * operations), figures
    return figures


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    try:
        print(soak(60 * parser.parse_args().minutes))
    except AssertionError as error:
        sys.exit(f"the soak failed: {error}")


if __name__ == "__main__":
    main()
