"""A layer or loss is spelled as torch spells it; what only one of the two can tell is left out here."""

import re

import ne_torch as nt
import pytest
from torch import nn

from public_names import CLASSES

LAYERS = [
    lambda n: n.Linear(2, 3),
    lambda n: n.Linear(2, 3, bias=False),
    lambda n: n.LayerNorm(3, eps=0.5),
    lambda n: n.LayerNorm((3,), bias=False),
    lambda n: n.LayerNorm(3, elementwise_affine=False),
    lambda n: n.BatchNorm1d(3, eps=0.5, momentum=0.25),
    lambda n: n.BatchNorm1d(3, momentum=None, affine=False),
    lambda n: n.BatchNorm1d(3, track_running_stats=False),
    lambda n: n.Dropout(),
    lambda n: n.Dropout(0.3),
    lambda n: n.Embedding(3, 2),
    lambda n: n.Embedding(3, 2, padding_idx=-1),
    lambda n: n.Softmax(**over_the_last_axis(n)),
    lambda n: n.LogSoftmax(**over_the_last_axis(n)),
    lambda n: n.ELU(0.5),
    lambda n: n.GELU(),
    lambda n: n.GELU("tanh"),
    lambda n: n.Hardtanh(-2.0, 0.5),
    lambda n: n.Identity(),
    lambda n: n.LeakyReLU(0.3),
    lambda n: n.ReLU(),
    lambda n: n.ReLU6(),
    lambda n: n.SELU(),
    lambda n: n.SiLU(),
    lambda n: n.Sigmoid(),
    lambda n: n.Softplus(2.0, 3.0),
    lambda n: n.Tanh(),
    lambda n: n.Sequential(),
    lambda n: n.Sequential(n.Linear(2, 3), n.Sequential(n.ReLU(), n.Sequential(n.Tanh())), n.Dropout(0.25)),
]
LOSSES = [name for name in nt.losses.__all__ if hasattr(nn, name)]
OURS_ALONE = {"Layer", "Residual", "TabularEmbedding", "Loss", "QuantileLoss"}


def over_the_last_axis(n):
    return {} if n is nt else {"dim": -1}


def without_own_words(text):
    """Leave out our dtype, and of torch what is no argument here: inplace, dim, and BatchNorm1d's bias."""
    text = re.sub(r",? ?(dtype=float\d+|inplace=False|dim=-1)", "", text)
    return re.sub(r"(BatchNorm1d\(.*), bias=\w+", r"\1", text)


@pytest.mark.parametrize("make", LAYERS, ids=lambda make: repr(make(nt)).replace("\n", ""))
def test_layers_are_spelled_as_in_torch(make):
    assert without_own_words(repr(make(nt))) == without_own_words(repr(make(nn)))


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_spelled_as_in_torch(name):
    assert repr(getattr(nt, name)()) == repr(getattr(nn, name)())
    assert repr(getattr(nt, name)(reduction="sum")) == f"{name}(reduction='sum')"


def test_every_layer_and_loss_of_both_is_compared():
    ours = {name for name, kind in CLASSES.items() if issubclass(kind, (nt.Layer, nt.losses.Loss))}
    compared = {type(make(nt)).__name__ for make in LAYERS} | set(LOSSES)
    assert ours - OURS_ALONE == compared


def test_dtype_is_told_where_there_is_one():
    assert repr(nt.Linear(2, 3, dtype="float64")) == (
        "Linear(in_features=2, out_features=3, bias=True, dtype=float64)"
    )
    assert repr(nt.Residual(nt.ReLU())) == "Residual(\n  (0): ReLU()\n)"
    assert repr(nt.TabularEmbedding(3, {1: (5, 2)})) == "TabularEmbedding(3, {1: (5, 2)}, dtype=float32)"
