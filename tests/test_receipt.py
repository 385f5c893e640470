"""Receipts: what they record, and that verify confirms a training or names the epoch that differs."""

import hashlib
import json
import subprocess
import sys
import tempfile

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import datasets
from ne_torch.receipt import ARITHMETIC, Receipt, state_hash, verify
from ne_torch.receipt.__main__ import main

from samples import normal


def train(path, dtype="float32", *, epochs=4, source=None, first=None, **options):
    """Train a small net with a receipt; return trainer, x and target."""
    model = nt.Sequential(
        nt.Linear(6, 9, dtype=dtype, rng=1), nt.ReLU(), nt.Linear(9, 3, dtype=dtype, rng=2), nt.Softmax()
    )
    model[0].bias = normal(9, dtype, 7)  # a state that no seed tells
    trainer = nt.Trainer(
        model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    )
    x, target = normal((50, 6), dtype, 3), normal((50, 3), dtype, 4)
    receipt = Receipt(path, source)
    trainer.fit(x, target, epochs=epochs, batch_size=8, rng=5, receipt=receipt, **options)
    return trainer, x, target


def test_receipt_is_confirmed(dtype, isa, tmp_path):
    _, x, target = train(tmp_path / "run.json", dtype)
    lines = []
    assert verify(tmp_path / "run.json", (x, target), lines.append) is None
    entries = json.loads((tmp_path / "run.json").read_text())["epochs"]
    assert lines == [f"epoch {i + 1}: {entry['hash']}" for i, entry in enumerate(entries)]


def test_receipt_is_the_same_for_every_table_and_thread(isa, other_isa, dtype, threads, tmp_path):
    from ne_torch import _core

    contents = []
    for name, count in ((isa, 1), (other_isa, 3)):
        _core.select_isa(name)
        nt.set_num_threads(count)
        train(tmp_path / "run.json", dtype)
        contents.append((tmp_path / "run.json").read_bytes())
    assert contents[0] == contents[1]


def test_receipt_chains_its_hashes(tmp_path):
    trainer, x, _ = train(tmp_path / "run.json", epochs=1)
    content = json.loads((tmp_path / "run.json").read_text())
    assert content["arithmetic"] == ARITHMETIC
    assert content["data"]["x"] == {
        "dtype": "float32",
        "shape": [50, 6],
        "sha256": hashlib.sha256(x.tobytes()).hexdigest(),
    }

    def canonical(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    header = {name: value for name, value in content.items() if name not in ("initial_state", "epochs")}
    digest = hashlib.sha256(canonical(hashlib.sha256(canonical(header)).hexdigest()))
    entry = content["epochs"][0]
    digest.update(canonical({"options": entry["options"], "loss": entry["loss"]}))
    velocities = iter(trainer.optimizer.velocity())
    for index in (0, 2):
        for name in ("weight", "bias"):
            for prefix, array in (("", getattr(trainer.model[index], name)), ("velocity.", next(velocities))):
                digest.update(f"{prefix}{index}.{name} float32 {array.shape}\n".encode() + array.tobytes())
    assert entry["hash"] == digest.hexdigest()


@pytest.mark.parametrize("epoch", [1, 2, 4])
def test_verify_names_the_first_epoch_that_differs(epoch, tmp_path):
    path = tmp_path / "run.json"
    _, x, target = train(path)
    content = json.loads(path.read_text())
    content["epochs"][epoch - 1]["hash"] = "0" * 64
    path.write_text(json.dumps(content))
    assert verify(path, (x, target)) == epoch


def test_verify_notices_weights_changed_between_epochs(tmp_path):
    path = tmp_path / "run.json"
    model = nt.Sequential(nt.Linear(6, 3, rng=1))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.05))
    x, target = normal((50, 6), "float32", 3), normal((50, 3), "float32", 4)

    def meddle(epoch, history):
        if epoch == 1:
            model[0].weight[0, 0] = np.nextafter(model[0].weight[0, 0], np.float32(9))

    trainer.fit(x, target, epochs=4, rng=5, receipt=path, callbacks=[meddle])
    assert verify(path, (x, target)) == 3


def test_receipt_follows_learning_rates_set_by_callbacks(tmp_path):
    def halve(epoch, history):
        trainer_of["it"].optimizer.lr /= 2

    trainer_of = {}
    model = nt.Sequential(nt.Linear(6, 3, rng=1))
    trainer_of["it"] = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.05))
    x, target = normal((50, 6), "float32", 3), normal((50, 3), "float32", 4)
    trainer_of["it"].fit(x, target, epochs=4, rng=5, receipt=tmp_path / "run.json", callbacks=[halve])
    assert verify(tmp_path / "run.json", (x, target)) is None


def test_receipt_goes_on_with_a_resumed_training(tmp_path):
    train(tmp_path / "whole.json")
    trainer, x, target = train(tmp_path / "parts.json", max_steps=17)
    for steps in (1, 4, None):
        trainer.fit(
            x, target, epochs=4, batch_size=8, resume=True, max_steps=steps, receipt=tmp_path / "parts.json"
        )
    assert (tmp_path / "parts.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_receipt_begins_with_the_training(tmp_path):
    trainer, x, target = train(None, max_steps=17)
    with pytest.raises(ValueError, match="a receipt begins with the training"):
        trainer.fit(x, target, epochs=4, batch_size=8, resume=True, receipt=tmp_path / "late.json")


def test_verify_refuses_other_data(tmp_path):
    _, x, target = train(tmp_path / "run.json")
    with pytest.raises(ValueError, match="expected x to be"):
        verify(tmp_path / "run.json", (x + np.float32(1), target))
    with pytest.raises(ValueError, match="names no source"):
        verify(tmp_path / "run.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format": "other"}', b"\xff\xfe"])
def test_verify_refuses_what_is_no_receipt(content, tmp_path):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(ValueError, match="is no receipt"):
        verify(tmp_path / "run.json")


def test_verify_refuses_another_arithmetic(tmp_path):
    _, x, target = train(tmp_path / "run.json")
    content = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**content, "arithmetic": 99}))
    with pytest.raises(ValueError, match="expected arithmetic 1, got 99"):
        verify(tmp_path / "run.json", (x, target))


def test_receipt_refuses_unknown_source():
    with pytest.raises(ValueError, match="expected source to be one of"):
        Receipt("run.json", "cifar")


def test_receipt_refuses_layers_of_ones_own(tmp_path):
    class Double:
        def forward(self, x):
            return 2 * x

        def backward(self, grad):
            return 2 * grad

    model = nt.Sequential(nt.Linear(6, 3, rng=1), Double())
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters()))
    before = state_hash(model)
    with pytest.raises(TypeError, match="expected layers, loss and optimizer that the engine trains"):
        trainer.fit(normal((9, 6), "float32"), normal((9, 3), "float32"), receipt=tmp_path / "run.json")
    assert state_hash(model) == before


@pytest.mark.parametrize("kind", ["LBFGS", "OneCycleLR"])
def test_receipt_refuses_what_no_row_of_options_tells(kind):
    model = nt.Sequential(nt.Linear(6, 3, rng=1))
    optimizer = nt.LBFGS(model.parameters()) if kind == "LBFGS" else nt.SGD(model.parameters())
    scheduler = None if kind == "LBFGS" else nt.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=9)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer, scheduler=scheduler)
    with pytest.raises(TypeError, match="no scheduler that counts steps, for a receipt"):
        trainer.fit(normal((9, 6), "float32"), normal((9, 3), "float32"), receipt=Receipt())


def command_line(*arguments):
    command = [sys.executable, "-m", "ne_torch.receipt", "verify", *map(str, arguments)]
    return subprocess.run(command, cwd=tempfile.gettempdir(), capture_output=True, text=True, check=False)


def test_command_line_verifies_arrays(tmp_path):
    _, x, target = train(tmp_path / "run.json")
    np.savez(tmp_path / "data.npz", x=x, target=target)
    done = command_line(tmp_path / "run.json", "--data", tmp_path / "data.npz")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "confirmed")
    np.savez(tmp_path / "data.npz", x=x + 1, target=target)
    done = command_line(tmp_path / "run.json", "--data", tmp_path / "data.npz")
    assert done.returncode == 2
    assert "expected x to be" in done.stderr


def test_command_line_verifies_digits_by_name(tmp_path):
    data = datasets.load_digits()
    model = nt.Sequential(nt.Linear(64, 10, rng=0), nt.Softmax())
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.5))
    path = tmp_path / "digits.json"
    trainer.fit(
        data.x_train, datasets.one_hot(data.y_train, 10), epochs=3, rng=0, receipt=Receipt(path, "digits")
    )
    assert command_line(path).returncode == 0
    content = json.loads(path.read_text())
    content["epochs"][1]["loss"] = "0x1p-4"
    path.write_text(json.dumps(content))
    assert command_line(path).returncode == 0  # a loss is hashed as it is found
    content["epochs"][1]["hash"] = "f" * 64
    path.write_text(json.dumps(content))
    done = command_line(path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        1,
        "NOT confirmed: epoch 2 is the first that differs",
    )


DAMAGED = {
    "empty": lambda whole: b"",
    "text": lambda whole: b"x",
    "no directory": lambda whole: whole[:60],
    "cut": lambda whole: whole[:-30],
    "flipped": lambda whole: whole[:150] + b"\xff" + whole[151:],
    "begins before the file": lambda whole: whole[:100] + whole[110:],  # found by fuzzing
    "another format": lambda whole: b"\x93NUMPY" + bytes(90),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_arrays_cannot_be_verified(name, tmp_path, capsys):
    path = tmp_path / "arrays.npz"
    np.savez(path, x=np.ones((4, 3), "float32"), target=np.ones((4, 2), "float32"))
    path.write_bytes(DAMAGED[name](path.read_bytes()))
    assert main(["verify", str(tmp_path / "none.json"), "--data", str(path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"could not be verified: {str(path)!r} is no .npz file of arrays: ")
    assert len(told) < 1000
