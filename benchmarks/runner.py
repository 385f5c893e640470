"""Starts workers one after the other, each peer alone in a process of its own, in interleaved rounds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
THREAD_VARIABLES = ("NE_TORCH_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# The installed ne_torch is measured: the root, which holds its sources too, comes last in the path.
WORKER = "import sys; sys.path.append(sys.argv.pop(1)); from benchmarks.worker import main; main()"
PEERS = ("ne_torch", "torch.eager", "torch.by_hand", "torch.compiled", "jax.stepwise", "jax.loop", "numpy")
RECIPE_PEERS = (
    *("ne_torch", "torch.eager", "torch.foreach", "torch.fused", "torch.compiled"),
    *("jax.stepwise", "jax.loop"),
)


def affinity(threads: int):
    """JAX takes as many threads as it may run on, so one thread is one processor for everyone."""
    cpus = sorted(os.sched_getaffinity(0))[-threads:]
    return lambda: os.sched_setaffinity(0, cpus)


def run_worker(task: str, peer: str, threads: int, seconds: float) -> dict | None:
    """Run one worker; None, with its last words on stderr, where it failed."""
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, str(ROOT), task, peer, str(seconds)],
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=affinity(threads),
        cwd=tempfile.gettempdir(),
        check=False,
    )
    if worker.returncode:
        print(f"{task} {peer} failed:\n{worker.stderr[-2000:]}", file=sys.stderr)
        return None
    return json.loads(worker.stdout.strip().splitlines()[-1])


def merge(into: dict, new: dict) -> None:
    """Append lists of times to those of earlier rounds."""
    for key, value in new.items():
        if isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        elif isinstance(value, list):
            into.setdefault(key, []).extend(value)
        else:
            into[key] = value


def run_rounds(task: str, peers, thread_counts, rounds: int, seconds: float, between=None) -> dict:
    """Run every peer with every number of threads in each round; return {"peer, threads": merged result}."""
    results: dict[str, dict] = {}
    for number in range(rounds):
        for peer in peers:
            for threads in thread_counts:
                print(f"  {task}: round {number + 1} of {rounds}, {peer}, {threads} threads", flush=True)
                found = run_worker(task, peer, threads, seconds)
                if found is not None:
                    merge(results.setdefault(f"{peer}, {threads}", {}), found)
        if between:
            between()
    return results


class PeakProbe:
    """GFLOP/s of fused multiply-adds in registers, alone and on all threads at once."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.one: list[float] = []
        self.all: list[float] = []
        compiler = shutil.which(os.environ.get("CXX", "c++"))
        self.program = None
        if compiler and sys.platform == "linux":
            flags = "-mavx512f" if "avx512f" in Path("/proc/cpuinfo").read_text() else "-mavx2"
            self.program = Path(tempfile.mkdtemp()) / "fma_peak"
            source = str(ROOT / "benchmarks" / "fma_peak.cpp")
            subprocess.run(
                [compiler, "-O2", flags, "-mfma", "-std=c++20", source, "-o", str(self.program)], check=True
            )

    def measure(self) -> None:
        if self.program is None:
            return
        self.one.append(float(subprocess.check_output([self.program])))
        together = [subprocess.Popen([self.program], stdout=subprocess.PIPE) for _ in range(self.threads)]
        self.all.append(sum(float(process.communicate()[0]) for process in together))
