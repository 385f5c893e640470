"""Receipts of every layer, optimizer and loss that the engine trains."""

import json

import ne_torch as nt
import numpy as np
import pytest
from ne_torch.receipt import Receipt, verify

from samples import normal

OPTIMIZERS = {
    "SGD": {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01},
    "Adam": {"amsgrad": True, "weight_decay": 0.01},
    "AdamW": {"betas": (0.8, 0.9), "eps": 1e-4},
    "RMSprop": {"alpha": 0.0, "momentum": 0.5, "centered": True},
    "Adagrad": {"lr": 0.05, "lr_decay": 0.1},
}
ROWS, CLASSES = 50, 3


def make(dtype="float32", optimizer="AdamW", **options):
    model = nt.Sequential(
        nt.TabularEmbedding(6, {1: (4, 3)}, dtype=dtype, rng=0),
        nt.Linear(8, 9, dtype=dtype, rng=1),
        nt.BatchNorm1d(9, dtype=dtype),
        nt.GELU(),
        nt.Sequential(nt.Dropout(0.3, rng=2), nt.Residual(nt.Linear(9, 9, dtype=dtype, rng=3), nt.SiLU())),
        nt.LayerNorm(9, dtype=dtype),
        nt.Linear(9, CLASSES, dtype=dtype, rng=4),
    )
    parameters = model.parameters()
    groups = [{"params": parameters[::2]}, {"params": parameters[1::2], "lr": 0.002}]
    made = getattr(nt, optimizer)(groups, **OPTIMIZERS[optimizer])
    loss = nt.CrossEntropyLoss(label_smoothing=0.1)
    scheduler = nt.lr_scheduler.ExponentialLR(made, 0.7)
    return nt.Trainer(model, loss=loss, optimizer=made, scheduler=scheduler, **options)


def data(dtype="float32"):
    x = normal((ROWS, 6), dtype, 3)
    x[:, 1] = np.arange(ROWS) % 4
    return x, np.arange(ROWS) % CLASSES


def fit(trainer, path, dtype="float32", **options):
    x, target = data(dtype)
    trainer.fit(x, target, **{"epochs": 3, "batch_size": 8, "rng": 5, "receipt": path, **options})


@pytest.mark.parametrize("clipping", [{}, {"clip_grad_norm": 0.5}, {"clip_grad_value": 0.05}], ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_receipt_is_confirmed(optimizer, clipping, dtype, tmp_path):
    path = tmp_path / "run.json"
    fit(make(dtype, optimizer, **clipping), path, dtype)
    assert verify(path, data(dtype)) is None


def test_receipt_of_a_trainer_that_has_trained_before(tmp_path):
    trainer = make(optimizer="Adam")
    trainer.step(*data())  # moments, running statistics, a stream of dropout, and a count of steps
    fit(trainer, tmp_path / "run.json")
    assert json.loads((tmp_path / "run.json").read_text())["steps"] == [1, 1]
    assert verify(tmp_path / "run.json", data()) is None


def test_receipt_goes_on_with_a_resumed_training(tmp_path):
    fit(make(), tmp_path / "whole.json")
    trainer = make()
    fit(trainer, tmp_path / "parts.json", max_steps=9)
    fit(trainer, tmp_path / "parts.json", resume=True)
    assert (tmp_path / "parts.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


@pytest.mark.parametrize("what", ["weight", "running_mean", "stream", "exp_avg"])
def test_verify_notices_whatever_changes_between_epochs(what, tmp_path):
    trainer = make()

    def meddle(epoch, history):
        if epoch == 0:
            arrays = {
                **trainer.model.named_buffers(),
                "1.weight": trainer.model[1].weight,
                "exp_avg": trainer.optimizer.states()[0][0],
            }
            array = next(array for name, array in arrays.items() if name.endswith(what))
            array.flat[-1] += 1

    fit(trainer, tmp_path / "run.json", callbacks=[meddle])
    assert verify(tmp_path / "run.json", data()) == 2


def test_classes_are_found_by_the_name_of_their_source(tmp_path):
    digits = nt.datasets.load_digits()
    model = nt.Sequential(nt.Linear(64, 10, rng=0), nt.LogSoftmax())
    trainer = nt.Trainer(model, loss=nt.NLLLoss(), optimizer=nt.Adam(model.parameters()))
    receipt = Receipt(tmp_path / "run.json", source="digits")
    trainer.fit(digits.x_train, digits.y_train, epochs=2, rng=0, receipt=receipt)
    assert verify(tmp_path / "run.json") is None


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("optimizer", "LBFGS", "expected an optimizer of ne_torch that takes steps, got 'LBFGS'"),
        ("optimizer", "Trainer", "expected an optimizer of ne_torch that takes steps, got 'Trainer'"),
        ("steps", [-1, 0], "expected steps as a number of steps, got -1"),
        ("steps", [1], "is damaged|shorter"),
        ("clipping", ["a", 0], "is damaged"),
        ("clipping", [1.0, 1.0], "got both"),
        ("model", {"class": "Linear", "arguments": {"in_features": 9**9, "out_features": 9**9}}, "at most"),
        ("model", {"class": "Path"}, "expected the class of a layer"),
    ],
)
def test_verify_refuses_a_header_that_describes_no_training(name, value, says, tmp_path):
    path = tmp_path / "run.json"
    fit(make(), path, epochs=1)
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    with pytest.raises(ValueError, match=says):
        verify(path, data())
