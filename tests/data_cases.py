"""Trainers and bytes for the tests of ne_torch.data."""

import ne_torch as nt
import numpy as np
import pytest

from callback_runs import weights
from samples import normal
from test_trainer_fused import TheirReLU

__all__ = ["FEATURES", "ROWS", "fused_and_layers", "make_trainer", "pixels", "problem", "refused", "weights"]

ROWS, FEATURES = 203, 37

fused_and_layers = pytest.mark.parametrize("relu", [nt.ReLU, TheirReLU], ids=["fused", "layers"])


def make_trainer(relu=nt.ReLU, dtype="float32", features=FEATURES, loss=nt.MSELoss):
    layers = nt.Linear(features, 9, dtype=dtype, rng=1), relu(), nt.Linear(9, 3, dtype=dtype, rng=2)
    model = nt.Sequential(*layers)
    return nt.Trainer(model, loss=loss(), optimizer=nt.SGD(model.parameters(), lr=0.05, momentum=0.9))


def pixels(shape=(ROWS, FEATURES), seed=3):
    return np.random.default_rng(seed).integers(0, 256, shape, "uint8")


def problem(loss, dtype, rows=ROWS):
    """Return targets as the loss takes them, and weights of samples, some of which are 0."""
    rng = np.random.default_rng(4)
    weight = rng.choice([0.0, 0.5, 2.0], rows).astype(dtype)
    return rng.integers(0, 3, rows) if loss is nt.CrossEntropyLoss else normal((rows, 3), dtype, 4), weight


def refused(call, error, says):
    with pytest.raises(error) as caught:
        call()
    assert says in str(caught.value)
