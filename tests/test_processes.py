"""Forks, exits and quotas: a child trains at once, a process ends in peace, a container's limit is kept."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import ne_torch as nt
import pytest
from ne_torch import _core

from samples import normal

HERE = Path(__file__).resolve().parent
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def make_trainer(seed=0):
    model = nt.Sequential(nt.Linear(300, 200, rng=seed), nt.ReLU(), nt.Linear(200, 10, rng=seed + 1))
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))


def train(trainer=None, steps=3):
    """Return the bits of a short training that the pool takes part in."""
    trainer = trainer or make_trainer()
    x, target = normal((96, 300), "float32"), normal((96, 10), "float32", 1)
    losses = [trainer.step(x, target) for _ in range(steps)]
    predictor = trainer.model.freeze()
    return repr(losses), [p.data.tobytes() for p in trainer.model.parameters()], predictor(x).tobytes()


def script(body):
    """Run a script in a process of its own, which may fork as it likes."""
    head = f"import os, sys, threading\nsys.path.insert(0, {str(HERE)!r})\nimport test_processes as here\n"
    head += "import ne_torch as nt\nnt.set_num_threads(2)\n"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", head + body],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=HERE,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout.strip()


@needs_fork
def test_a_thousand_forked_children_train_at_once():
    printed = script("""
expected = here.train()
for _ in range(1000):
    child = os.fork()
    if child == 0:
        os._exit(0 if here.train(steps=3) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
print("equal")
""")
    assert printed == "equal"


@needs_fork
def test_a_child_forked_during_fit_of_another_thread_trains_at_once():
    """With a trainer of its own, and with the very one that the other thread is using."""
    printed = script("""
import time
from samples import normal
expected = here.train()
busy = here.make_trainer()
x, target = normal((60000, 300), "float32"), normal((60000, 10), "float32", 1)
stop = threading.Event()
def fit():
    while not stop.is_set():
        busy.fit(x, target, epochs=1, batch_size=64)
thread = threading.Thread(target=fit)
thread.start()
for i in range(200):
    time.sleep(0.001 * (i % 3))
    child = os.fork()
    if child == 0:
        equal = here.train() == expected
        busy.step(x[:64], target[:64])
        os._exit(0 if equal else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
thread.join()
print("equal")
""")
    assert printed == "equal"


@pytest.mark.parametrize("method", [m for m in ("fork", "forkserver", "spawn") if hasattr(os, "fork")])
def test_processes_of_multiprocessing_train_at_once(method):
    printed = script(f"""
import multiprocessing
if __name__ == "__main__":
    expected = here.train()
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        for found in pool.map(here.train_for_pool, range(8)):
            assert found == expected
    print("equal")
""")
    assert printed == "equal"


def train_for_pool(_):
    nt.set_num_threads(2)
    return train()


def test_a_process_ends_while_its_threads_work():
    """Daemon threads inside the engine neither abort the process nor keep it."""
    body = """
import time
from samples import normal
x, target = normal((5000, 300), "float32"), normal((5000, 10), "float32")
def work(seed):
    trainer = here.make_trainer(seed)
    predictor = trainer.model.freeze()
    while True:
        trainer.fit(x, target, epochs=3)
        predictor(x)
        trainer.model(x)
for seed in range(3):
    threading.Thread(target=work, args=(seed,), daemon=True).start()
time.sleep({seconds})
print("bye")
"""
    for i in range(10):
        assert script(body.format(seconds=0.02 * i)) == "bye"


FIRST_CALLS = """
import builtins, time, types
import numpy as np
from samples import normal
nt.Linear  # and all that is imported with it
x = np.asfortranarray(normal((5, 300), "float32"))
usual_import = builtins.__import__
def slow_import(name, *args, **kwargs):
    if name == "numpy":
        time.sleep(0.3)
    return usual_import(name, *args, **kwargs)
builtins.__import__ = slow_import
def work():
    layer = nt.Linear(300, 10, rng=0)
    layer(x), layer(x.tolist()), layer(x, out=np.empty((5, 10), "float32"))
threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
for thread in threads:
    thread.start()
"""

SLOW_END = """
class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(1)
module = types.ModuleType("slow")
module.end = Slow()
sys.modules["slow"] = module
del module
print("bye", flush=True)
"""


def test_first_calls_of_several_threads_wait_for_nothing():
    """What is looked up once is looked up at import, where no thread can stand in another's way."""
    body = FIRST_CALLS + "for thread in threads:\n    thread.join(timeout=20)\n"
    body += "print([thread.is_alive() for thread in threads], flush=True)\nos._exit(0)"
    assert script(body) == "[False, False, False]"


def test_a_process_ends_while_its_threads_call_for_the_first_time():
    """The interpreter takes its time to end, and meanwhile lets go of the lock."""
    assert script(FIRST_CALLS + SLOW_END) == "bye"


def test_a_process_ends_by_its_signal_while_workers_run():
    code = "import test_processes as here; print('on', flush=True)\nwhile True: here.train(steps=100)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=HERE)
    process.stdout.readline()
    process.terminate()
    assert process.wait(timeout=20) == -signal.SIGTERM
    process.stdout.close()


def test_predictions_and_trainings_of_many_threads_do_not_disturb_each_other(threads):
    nt.set_num_threads(2)
    expected = train(steps=20)
    results = []
    workers = [threading.Thread(target=lambda: results.append(train(steps=20))) for _ in range(12)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert results == [expected] * 12


def quota_files(root, version, limits):
    """Lay out /proc and /sys/fs/cgroup as a container with CPU limits along its path has them."""
    (root / "proc" / "self").mkdir(parents=True)
    line = "0::/a/b\n" if version == 2 else "4:cpu,cpuacct:/a/b\n3:memory:/a/b\n"
    (root / "proc" / "self" / "cgroup").write_text(line)
    base = root / "sys" / "fs" / "cgroup" / ("" if version == 2 else "cpu,cpuacct")
    for path, (quota, period) in limits.items():
        folder = base / path
        folder.mkdir(parents=True, exist_ok=True)
        if version == 2:
            (folder / "cpu.max").write_text(f"{quota} {period}\n")
        else:
            (folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
            (folder / "cpu.cfs_period_us").write_text(f"{period}\n")


@pytest.mark.parametrize(
    ("version", "limits", "expected"),
    [
        (2, {"a/b": (100000, 100000)}, 1),
        (2, {"a": (100000, 100000)}, 1),
        (2, {"a/b": ("max", 100000), "a": (50000, 100000)}, 1),
        (2, {"a/b": ("max", 100000)}, None),
        (2, {"a/b": ("nonsense", 0)}, None),
        (2, {}, None),
        (1, {"a/b": (100000, 100000)}, 1),
        (1, {".": (100000, 100000)}, 1),
        (1, {"a/b": (-1, 100000)}, None),
        (1, {}, None),
    ],
)
def test_the_default_number_of_threads_respects_a_quota(version, limits, expected, tmp_path):
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("no affinity on this system")
    quota_files(tmp_path, version, limits)
    processors = len(os.sched_getaffinity(0))
    assert _core.available_cpus(str(tmp_path)) == min(processors, expected or processors)


def test_the_default_number_of_threads_respects_a_real_quota():
    """Where this user may make a control group: one CPU of this machine's."""
    group = Path("/sys/fs/cgroup/cpu") / f"ne_torch_test_{os.getpid()}"
    try:
        group.mkdir()
        (group / "cpu.cfs_quota_us").write_text("100000")
    except OSError:
        if group.exists():
            group.rmdir()
        pytest.skip("no control group of version 1 to be made here")
    try:
        code = "import ne_torch as nt; print(nt.get_num_threads())"
        shell = f'echo $$ > {group}/cgroup.procs && exec "{sys.executable}" -c "{code}"'
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
        printed = subprocess.check_output(["sh", "-c", shell], text=True, env=environment, cwd=HERE)
        assert printed.strip() == "1"
    finally:
        group.rmdir()
