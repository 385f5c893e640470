"""Training that stops and goes on: the end is the same, to the bit, as of never having stopped."""

import json
import signal
import threading
from pathlib import Path

import ne_torch as nt
import numpy as np
import pytest
from ne_torch.receipt import state_hash

from process import run
from samples import normal

SAMPLES, BATCH, EPOCHS = 50, 8, 4  # 7 steps an epoch, the last one of 2 samples


def make_trainer(dtype, **options):
    model = nt.Sequential(nt.Linear(6, 9, dtype=dtype, rng=1), nt.ReLU(), nt.Linear(9, 3, dtype=dtype, rng=2))
    options = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01, **options}
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), **options))


def data(dtype):
    return normal((SAMPLES, 6), dtype, 3), normal((SAMPLES, 3), dtype, 4)


def outcome(trainer, history):
    return state_hash(trainer.model, trainer.optimizer), history.loss, history.validation_loss


@pytest.fixture
def undisturbed(dtype):
    trainer = make_trainer(dtype)
    x, target = data(dtype)
    history = trainer.fit(x, target, epochs=EPOCHS, batch_size=BATCH, rng=5, validation_data=(x, target))
    return outcome(trainer, history)


def go_on(trainer, dtype, **options):
    x, target = data(dtype)
    options = {
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "resume": True,
        "validation_data": (x, target),
        **options,
    }
    return trainer.fit(x, target, **options)


@pytest.mark.parametrize("steps", [1, 6, 7, 8, 13, 14, 27])
def test_fit_resumes_after_any_step(steps, dtype, undisturbed):
    trainer = make_trainer(dtype)
    go_on(trainer, dtype, resume=False, rng=5, max_steps=steps)
    assert outcome(trainer, go_on(trainer, dtype)) == undisturbed


def test_fit_resumes_step_by_step(dtype, undisturbed):
    trainer = make_trainer(dtype)
    go_on(trainer, dtype, resume=False, rng=5, max_steps=1)
    for _ in range(EPOCHS * 7):
        history = go_on(trainer, dtype, max_steps=1)
    assert outcome(trainer, history) == undisturbed


def test_fit_resumes_after_callback_stopped_it(dtype, undisturbed):
    trainer = make_trainer(dtype)
    go_on(trainer, dtype, resume=False, rng=5, callbacks=[lambda epoch, _: epoch == 1])
    assert outcome(trainer, go_on(trainer, dtype)) == undisturbed


def test_fit_resumes_after_exception_in_callback(dtype, undisturbed):
    def fail(epoch, history):
        if epoch == 2:
            raise RuntimeError("callback failed")

    trainer = make_trainer(dtype)
    with pytest.raises(RuntimeError, match="callback failed"):
        go_on(trainer, dtype, resume=False, rng=5, callbacks=[fail])
    assert outcome(trainer, go_on(trainer, dtype)) == undisturbed


def test_fit_resumes_after_keyboard_interrupt(keyboard):
    x, target = normal((20_000, 64), "float32", 3), normal((20_000, 32), "float32", 4)

    def train(interrupts):
        model = nt.Sequential(nt.Linear(64, 200, rng=1), nt.ReLU(), nt.Linear(200, 32, rng=2))
        trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.01))
        resume, caught = False, 0
        while True:
            timer = threading.Timer(0.03, signal.raise_signal, [signal.SIGINT])
            if caught < interrupts:
                timer.start()
            try:
                history = trainer.fit(x, target, epochs=50, batch_size=32, rng=6, resume=resume)
                timer.cancel()
                return outcome(trainer, history), caught
            except KeyboardInterrupt:
                resume, caught = True, caught + 1

    expected, _ = train(0)
    found, caught = train(3)
    assert caught == 3
    assert found == expected


ELSEWHERE = """
import sys
sys.path.append("{tests}")
import test_trainer_resume as here
trainer = here.make_trainer("{dtype}", lr=1.0, momentum=0.0, weight_decay=0.0)
trainer.load("{path}")
history = here.go_on(trainer, "{dtype}")
print(here.outcome(trainer, history))
"""


@pytest.mark.parametrize("steps", [5, 14, 20])
def test_fit_resumes_in_another_process(steps, dtype, isa, undisturbed, tmp_path):
    trainer = make_trainer(dtype)
    go_on(trainer, dtype, resume=False, rng=5, max_steps=steps)
    trainer.save(tmp_path / "run.safetensors")
    code = ELSEWHERE.format(tests=Path(__file__).parent, dtype=dtype, path=tmp_path / "run.safetensors")
    done = run(code, NE_TORCH_ISA=isa, NE_TORCH_NUM_THREADS="3")
    assert done.stdout.strip() == str(undisturbed), done.stderr


def test_trainer_saves_steps_without_fit(dtype, tmp_path):
    x, target = data(dtype)
    one, other = make_trainer(dtype), make_trainer(dtype)
    for _ in range(6):
        one.step(x, target)
    for _ in range(3):
        other.step(x, target)
    other.save(tmp_path / "run.safetensors")
    fresh = make_trainer(dtype, lr=0.5)
    fresh.load(tmp_path / "run.safetensors")
    for _ in range(3):
        fresh.step(x, target)
    assert state_hash(fresh.model, fresh.optimizer) == state_hash(one.model, one.optimizer)


def test_trainer_file_holds_torch_names(tmp_path):
    from safetensors.numpy import load_file

    trainer = make_trainer("float32", momentum=0.0)
    trainer.save(tmp_path / "run.safetensors")
    found = load_file(tmp_path / "run.safetensors")
    assert set(found) == {f"model.{name}" for name in trainer.model.state_dict()}
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]


def test_fit_refuses_to_resume_what_was_not_begun(dtype):
    with pytest.raises(RuntimeError, match="expected a training to resume"):
        go_on(make_trainer(dtype), dtype)


@pytest.mark.parametrize("other", [{"batch_size": 9}, {"shuffle": False}])
def test_fit_refuses_to_resume_with_other_arguments(other, dtype):
    trainer = make_trainer(dtype)
    go_on(trainer, dtype, resume=False, rng=5, max_steps=3)
    before = state_hash(trainer.model, trainer.optimizer)
    with pytest.raises(ValueError, match=f"expected {next(iter(other))}="):
        go_on(trainer, dtype, **other)
    assert state_hash(trainer.model, trainer.optimizer) == before


def tampered(path, part, name, value):
    """Rewrite a file with one entry of tensors, metadata, optimizer or fit changed; None removes it."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    with safe_open(path, framework="numpy") as file:
        parts = {"tensors": {key: file.get_tensor(key) for key in file.keys()}}  # noqa: SIM118
        parts["metadata"] = file.metadata()
    parts |= json.loads(parts["metadata"]["state"])
    parts[part][name] = value
    parts["metadata"]["state"] = json.dumps({key: parts[key] for key in ("optimizer", "fit")})
    kept = {key: {k: v for k, v in parts[key].items() if v is not None} for key in ("tensors", "metadata")}
    save_file(kept["tensors"], path, kept["metadata"])


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("tensors", "model.0.weight", None),
        ("tensors", "model.0.bias", np.zeros(3, "float32")),
        ("tensors", "model.0.bias", np.zeros(9, "float16")),
        ("tensors", "velocity.0.bias", np.zeros(3, "float32")),
        ("metadata", "format", "something else"),
        ("metadata", "version", "99"),
        ("optimizer", "lr", -1.0),
        ("optimizer", "lr", "fast"),
        ("fit", "cursor", [SAMPLES + 1, 0.0]),
        ("fit", "cursor", [3, 0.0]),
        ("fit", "cursor", "ab"),
        ("fit", "epoch", -1),
        ("fit", "seed", -1),
        ("fit", "surprise", 1),
    ],
)
def test_trainer_load_refuses_tampered_file(part, name, value, tmp_path):
    path = tmp_path / "run.safetensors"
    trainer = make_trainer("float32")
    go_on(trainer, "float32", resume=False, rng=5, max_steps=3)
    trainer.save(path)
    tampered(path, part, name, value)
    fresh = make_trainer("float32", lr=0.7)
    before = state_hash(fresh.model, fresh.optimizer)
    with pytest.raises((ValueError, TypeError)):
        fresh.load(path)
    assert state_hash(fresh.model, fresh.optimizer) == before
    assert fresh.optimizer.lr == 0.7


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_trainer_load_refuses_truncated_file(share, tmp_path):
    path = tmp_path / "run.safetensors"
    make_trainer("float32").save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"is no file of Trainer\.save"):
        make_trainer("float32").load(path)


def test_trainer_save_leaves_the_old_file_where_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    make_trainer("float32").save(path)
    before = path.read_bytes()

    def fail(handle):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        make_trainer("float32", lr=0.7).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
