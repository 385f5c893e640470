"""Files: whole after a kill at any moment; refused in few words and little memory where they are damaged."""

import gzip
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import ne_torch as nt
import pytest
from ne_torch.receipt import state_hash, verify

from samples import normal

pytest.importorskip("safetensors")

HERE = Path(__file__).resolve().parent
MUTATIONS = 10_000


def make_trainer(seed=1, widths=(5, 9, 3)):
    model = nt.Sequential(nt.Linear(*widths[:2], rng=seed), nt.ReLU(), nt.Linear(*widths[1:], rng=seed + 1))
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1, momentum=0.9))


def trained(path=None, **options):
    trainer = make_trainer()
    x, target = normal((20, 5), "float32"), normal((20, 3), "float32", 1)
    trainer.fit(x, target, epochs=3, batch_size=8, rng=0, **options)
    if path is not None:
        trainer.save(path)
    return trainer


def mutate(original, rng):
    """Flip bits, cut, double, or overwrite: mostly near the beginning, where a file says what it is."""
    content = bytearray(original)
    near = min(len(content), 1500)
    kind = rng.randrange(6)
    place = rng.randrange(near if rng.random() < 0.7 else len(content))
    if kind <= 2:
        for _ in range(rng.randrange(1, 4)):
            content[rng.randrange(near if rng.random() < 0.7 else len(content))] ^= 1 << rng.randrange(8)
    elif kind == 3:
        del content[place:]
    elif kind == 4:
        content[place:place] = content[place : place + rng.randrange(1, 64)]
    else:
        size = rng.choice([0, 1, 2**31, 2**63 - 1, 2**64 - 1, len(content), len(content) + 1])
        content[place : place + 8] = struct.pack("<Q", size)
    return bytes(content)


def test_mutated_trainer_files_never_half_load(tmp_path):
    """Each is refused with everything as it was, or loads as a whole."""
    original_path, path = tmp_path / "good", tmp_path / "mutated"
    trained(original_path)
    original, rng = original_path.read_bytes(), random.Random(0)
    fresh = make_trainer(seed=7)
    before, refused = state_hash(fresh.model, fresh.optimizer), 0
    longest, changed = 0, False
    for _ in range(MUTATIONS):
        path.write_bytes(mutate(original, rng))
        try:
            fresh.load(path)
        except (ValueError, TypeError) as error:
            refused += 1
            longest = max(longest, len(str(error)))
            changed |= state_hash(fresh.model, fresh.optimizer) != before
        else:
            fresh = make_trainer(seed=7)
    assert refused > MUTATIONS / 4
    assert not changed
    assert longest < 1000


def test_mutated_receipts_are_refused_or_trained_again(tmp_path):
    good, path = tmp_path / "good.json", tmp_path / "mutated.json"
    trained(receipt=good)
    original, rng = good.read_bytes(), random.Random(0)
    data = normal((20, 5), "float32"), normal((20, 3), "float32", 1)
    assert verify(good, data) is None
    refused = 0
    for _ in range(MUTATIONS):
        path.write_bytes(mutate(original, rng))
        try:
            verify(path, data)
        except (ValueError, TypeError, MemoryError):
            refused += 1
    assert refused > MUTATIONS / 4


def test_mutated_data_sets_are_refused(tmp_path, monkeypatch):
    """A mirror's file with another hash is no MNIST, whatever is in it."""
    from ne_torch.datasets import MNIST_SHA256

    monkeypatch.setenv("NE_TORCH_DATA", str(tmp_path))
    monkeypatch.setenv("NE_TORCH_OFFLINE", "1")
    header = struct.pack(">IIII", 2051, 60000, 28, 28)
    rng = random.Random(0)
    for _ in range(200):
        for name in MNIST_SHA256:
            content = header + bytes(2000)
            zipped = rng.random() < 0.5
            path = tmp_path / (name + ".gz" * zipped)
            path.write_bytes(mutate(gzip.compress(content) if zipped else content, rng))
        with pytest.raises((ValueError, FileNotFoundError), match=r"load_mnist|expected"):
            nt.datasets.load_mnist()


KILLER = """
import os, pathlib, random, signal, sys, time
sys.path.insert(0, {here!r})
import test_file_safety as here
folder = pathlib.Path({folder!r})
trainers = [here.make_trainer(seed, (400, 500, 10)) for seed in (1, 2)]
predictors = [trainer.model.freeze() for trainer in trainers]
for trainer, predictor in zip(trainers, predictors):
    trainer.save(folder / "run.safetensors")
    predictor.save(folder / "net.safetensors")
rng = random.Random(0)
for _ in range(200):
    child = os.fork()
    if child == 0:
        while True:
            for trainer, predictor in zip(trainers, predictors):
                trainer.save(folder / "run.safetensors")
                predictor.save(folder / "net.safetensors")
    time.sleep(0.002 + 0.03 * rng.random())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    here.assert_whole(folder)
print("whole", len(list(folder.iterdir())))
"""


def assert_whole(folder):
    """Each file is one of the two that were written: all of it, to the bit."""
    trainers = [make_trainer(seed, (400, 500, 10)) for seed in (1, 2)]
    fresh = make_trainer(9, (400, 500, 10))
    fresh.load(folder / "run.safetensors")
    assert state_hash(fresh.model) in {state_hash(trainer.model) for trainer in trainers}
    row = normal((400,), "float32")
    found = nt.load_predictor(folder / "net.safetensors", verify=True)(row).tobytes()
    assert found in {trainer.model.freeze()(row).tobytes() for trainer in trainers}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_two_hundred_kills_during_saves_leave_loadable_files(tmp_path):
    code = KILLER.format(here=str(HERE), folder=str(tmp_path))
    printed = subprocess.check_output(
        [sys.executable, "-W", "ignore", "-c", code], text=True, cwd=HERE, timeout=300
    )
    assert printed.startswith("whole")


def test_a_file_that_claims_to_be_huge_takes_no_memory(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "huge"
    trained(path)
    content = path.read_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for size in (2**31, 2**40, 2**63 - 1, 2**64 - 1):
        path.write_bytes(struct.pack("<Q", size) + content[8:])
        for load in (nt.load_predictor, make_trainer().load):
            with pytest.raises(ValueError, match="is no file of"):
                load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10 * 1024


def test_files_are_not_pickle():
    for source in (HERE.parent / "ne_torch").rglob("*.py"):
        text = source.read_text()
        assert "pickle.load" not in text, source
        assert "allow_pickle=True" not in text, source
