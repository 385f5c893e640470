"""The pool: right from many Python threads, quiet when idle, alive after a fork; a step allocates nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ne_torch as nt
import numpy as np
import pytest

HERE = Path(__file__).resolve().parent


def make_trainer(seed=0, widths=(300, 200, 10)):
    model = nt.Sequential(nt.Linear(*widths[:2], rng=seed), nt.ReLU(), nt.Linear(*widths[1:], rng=seed + 1))
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))


def batch(seed=0, rows=96, widths=(300, 10)):
    generator = np.random.default_rng(seed)
    return [generator.standard_normal((rows, n)).astype("float32") for n in widths]


def train(seed, steps=30):
    trainer = make_trainer(seed)
    x, target = batch(seed)
    losses = [trainer.step(x, target) for _ in range(steps)]
    model = trainer.model
    answers = [answer(x).tobytes() for answer in (model, model.freeze())]
    return losses, [parameter.data.tobytes() for parameter in model.parameters()], answers


def test_many_python_threads_train_their_own_models(threads):
    nt.set_num_threads(1)
    expected = [train(seed) for seed in range(8)]
    nt.set_num_threads(3)
    with ThreadPoolExecutor(8) as executor:
        for _ in range(3):
            assert list(executor.map(train, range(8))) == expected


def test_layers_of_any_size_agree_for_any_number_of_threads(threads):
    generator = np.random.default_rng(0)
    for rows, n, m in [(2048, 64, 64), (1, 3000, 2500), (6000, 1500, 1), (3000, 1, 2000), (40, 700, 700)]:
        linear = nt.Linear(n, m, rng=0)
        x, g = (generator.standard_normal((rows, k)).astype("float32") for k in (n, m))
        bits = set()
        for count in (1, 2, 3, 8):
            nt.set_num_threads(count)
            results = [linear.forward(x), linear.backward(g), linear.grad_weight, linear.grad_bias]
            bits.add(b"".join(array.tobytes() for array in results))
        assert len(bits) == 1, (rows, n, m)


def test_number_of_threads_may_change_while_others_work(threads):
    expected = [train(seed, 60) for seed in range(2)]
    done = threading.Event()

    def change():
        while not done.is_set():
            for count in (1, 2, 4):
                nt.set_num_threads(count)

    changer = threading.Thread(target=change)
    changer.start()
    try:
        with ThreadPoolExecutor(2) as executor:
            actual = list(executor.map(lambda seed: train(seed, 60), range(2)))
    finally:
        done.set()
        changer.join()
    assert actual == expected


def test_one_trainer_serves_one_thread_at_a_time(threads):
    trainer = make_trainer()
    x, target = batch(rows=20000)
    errors = []

    def fit():
        try:
            trainer.fit(x, target, epochs=2)
        except RuntimeError as error:
            errors.append(str(error))

    pair = [threading.Thread(target=fit) for _ in range(2)]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    assert all("one training call at a time" in error for error in errors)
    assert all(np.isfinite(parameter.data).all() for parameter in trainer.model.parameters())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_trains_with_the_same_bits():
    script = """
import os, sys
sys.path.insert(0, sys.argv[1])
import ne_torch as nt
from test_threads import train
nt.set_num_threads(2)
expected = train(0)
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0 if train(0) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
print("equal")
"""
    printed = subprocess.check_output(
        [sys.executable, "-c", script, str(HERE)], text=True, timeout=120, cwd=HERE
    )
    assert printed.strip() == "equal"


def test_an_idle_process_uses_no_cpu(threads):
    nt.set_num_threads(2)
    trainer = make_trainer()
    x, target = batch()
    for _ in range(200):
        trainer.step(x, target)
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.02


def test_a_step_allocates_nothing(threads):
    """Counted by NumPy's and Python's allocators here; by the process' heap over many steps below."""
    trainer = make_trainer()
    x, target = batch()
    trainer.step(x, target)
    tracemalloc.start()
    try:
        for _ in range(3):
            trainer.step(x, target)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            trainer.step(x, target)
        assert tracemalloc.get_traced_memory()[0] - before < 1000
    finally:
        tracemalloc.stop()


def test_the_heap_of_the_process_does_not_grow():
    resource = pytest.importorskip("resource")
    trainer = make_trainer()
    x, target = batch()
    for _ in range(50):
        trainer.step(x, target)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2000):
        trainer.step(x, target)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1024


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_the_default_number_of_threads_respects_affinity():
    script = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); import ne_torch as nt; "
    printed = subprocess.check_output(
        [sys.executable, "-c", script + "print(nt.get_num_threads())"],
        text=True,
        cwd=HERE,
        env={name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")},
    )
    assert printed.strip() == "1"
