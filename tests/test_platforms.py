"""One hash for all: every instruction set, number of threads and architecture trains to the same bits."""

import hashlib
import itertools
import platform

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import _core

THREADS = (1, 2, 3, 8)
# sizes of the layers, samples in a batch, steps, and how many of them an emulator takes in a few seconds
RUNS = {
    "784-128-10": ((784, 128, 10), 64, 30, 8),
    "33-70-19-3": ((33, 70, 19, 3), 50, 60, 60),
    "9-32-16-4": ((9, 32, 16, 4), 50, 60, 60),  # batch-major between its layers
    "257-129-65": ((257, 129, 65), 37, 40, 16),
}


@pytest.fixture(params=RUNS)
def run(request):
    return RUNS[request.param][:3]


@pytest.fixture(params=RUNS)
def emulated_run(request):
    sizes, batch, _, steps = RUNS[request.param]
    return sizes, batch, steps


def trained(run, dtype):
    """Train as platforms/train.cpp does; return the SHA-256 of all parameters and losses."""
    sizes, batch, steps = run
    model = nt.Sequential()
    for i, (in_features, out_features) in enumerate(itertools.pairwise(sizes)):
        if i > 0:
            model.append(nt.ReLU())
        model.append(nt.Linear(in_features, out_features, dtype=dtype, rng=i))
    optimizer = nt.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer)
    x = nt.Generator(1000).normal((batch, sizes[0]), dtype=dtype.name)
    target = nt.Generator(1001).normal((batch, sizes[-1]), dtype=dtype.name)
    losses = np.array([trainer.step(x, target) for _ in range(steps)])
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    parameters = b"".join(parameter.data.tobytes() for parameter in model.parameters())
    return hashlib.sha256(parameters + losses.tobytes()).hexdigest()


def arguments(run, dtype):
    sizes, batch, steps = run
    return ("train", dtype.name, batch, steps, *sizes)


def test_training_has_one_hash(run, dtype, threads):
    hashes = {}
    before = _core.active_isa()
    try:
        for isa, count in itertools.product(_core.available_isas(), THREADS):
            _core.select_isa(isa)
            nt.set_num_threads(count)
            hashes[isa, count] = trained(run, dtype)
    finally:
        _core.select_isa(before)
    assert len(set(hashes.values())) == 1, hashes


def test_training_without_python_has_the_same_hash(run, dtype, native):
    for isa in _core.available_isas():
        printed = native(*arguments(run, dtype), NE_TORCH_ISA=isa, NE_TORCH_NUM_THREADS="2")
        assert hashlib.sha256(printed).hexdigest() == trained(run, dtype)


@pytest.mark.parametrize("count", THREADS)
@pytest.mark.parametrize("isa", ["neon", "scalar"])
def test_training_on_aarch64_has_the_same_hash(emulated_run, dtype, isa, count, aarch64):
    environment = {"NE_TORCH_ISA": isa, "NE_TORCH_NUM_THREADS": str(count)}
    printed = aarch64(*arguments(emulated_run, dtype), **environment)
    assert hashlib.sha256(printed).hexdigest() == trained(emulated_run, dtype)


def test_tables_agree_in_every_operation(native):
    printed = native("tables", 1000).decode()
    others = [isa for isa in _core.available_isas() if isa != "scalar"]
    assert printed.count("agrees in 1000 cases") == 14 * len(others)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="registers of x86")
def test_kernels_leave_the_upper_halves_of_registers_clear(native):
    printed = native("registers").decode()
    if "does not tell" in printed:
        pytest.skip("this processor does not tell")
    assert printed == "0 kernels leave something in the upper halves\n"


def test_tables_agree_in_every_operation_on_aarch64(aarch64):
    printed = aarch64("tables", 1000).decode()
    assert printed.count("neon agrees in 1000 cases") == 14
