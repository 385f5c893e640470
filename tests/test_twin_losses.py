"""The losses of every table against the independent twin, bit for bit, with all options; see test_twin.py."""

import numpy as np
import pytest
from hypothesis import strategies as st
from ne_torch import _core

import twin_library as twin
from samples import same_bits
from test_twin import Values, agree, cases, sizes

NUMBERS = {
    "huber": ("delta", [1.0, 0.5, 1e-3, 100.0]),
    "smooth_l1": ("beta", [1.0, 0.5, 1e-3, 100.0, 0.0]),
    "quantile": ("quantile", [0.5, 0.1, 0.9, 0.25]),
    "poisson_nll": ("eps", [1e-8, 0.0, 0.1]),
    "cross_entropy": ("label_smoothing", [0.0, 0.1, 0.5, 1.0]),
}
WEIGHTED = {"bce_with_logits", "cross_entropy", "nll"}
CLASS_WISE = {"cross_entropy", "nll"}


def drawn_options(kind, cols, values):
    """Return options for ne_torch, and the same for the twin."""
    rng, options, told = values.rng, {}, {"first": 0.0, "log_input": 1, "full": 0, "ignore_index": -100}
    if kind in NUMBERS:
        name, choices = NUMBERS[kind]
        options[name] = told["first"] = float(rng.choice(choices))
    if kind == "poisson_nll":
        options["log_input"], options["full"] = map(bool, rng.integers(0, 2, 2))
        told |= {name: int(options[name]) for name in ("log_input", "full")}
    for name in ("weight", "pos_weight"):
        if (kind == "bce_with_logits" or (kind in WEIGHTED and name == "weight")) and rng.random() < 0.5:
            options[name] = rng.choice([0.0, 1.0, 0.3, 7.0], cols)
            told[name] = options[name].astype(values.dtype)
    return options, told


def drawn_target(kind, rows, cols, values):
    """Return a target for ne_torch, and the same for the twin."""
    if kind == "nll" or (kind == "cross_entropy" and values.rng.random() < 0.5):
        indices = values.rng.integers(0, cols, rows)
        indices[values.rng.random(rows) < 0.2] = -100
        return indices, {"indices": indices}
    target = values(rows, cols)
    return target, {"target": target}


def loss_test(kind):
    @cases(sizes.filter(bool), sizes.filter(bool), st.sampled_from(twin.REDUCTIONS), st.booleans())
    def test(dtype, rows, cols, reduction, weighted, values):
        options, told = drawn_options(kind, cols, values)
        x = values(rows, cols)
        target, told_target = drawn_target(kind, rows, cols, values)
        told |= told_target
        weight = values.rng.choice([0.0, 1.0, 0.1, 3.0], rows).astype(dtype) if weighted else None
        grad = None
        if reduction == "none":
            grad = values(rows) if kind in CLASS_WISE else values(rows, cols)
        settings = _core.LossSettings(kind, reduction, options)
        agree(
            [
                twin.loss_forward(kind, reduction, x, sample_weight=weight, **told),
                twin.loss_backward(kind, reduction, x, grad, sample_weight=weight, **told),
            ],
            lambda: [
                _core.loss_forward(settings, x, target, weight),
                _core.loss_backward(settings, x, target, weight, grad),
            ],
        )

    return test


for _kind in twin.LOSSES:
    globals()[f"test_{_kind}_equals_twin"] = loss_test(_kind)


@pytest.mark.parametrize("kind", ["mse", "cross_entropy"])
def test_loss_of_large_batches_equals_twin(kind, dtype, isa):
    values = Values("normal", 1, dtype)
    x = values(1000, 70)
    target = np.arange(1000) % 70 if kind == "cross_entropy" else values(1000, 70)
    told = {"indices" if kind == "cross_entropy" else "target": target, "ignore_index": -100}
    settings = _core.LossSettings(kind)
    assert _core.loss_forward(settings, x, target) == twin.loss_forward(kind, "mean", x, **told)
    assert same_bits(_core.loss_backward(settings, x, target), twin.loss_backward(kind, "mean", x, **told))
