"""Trainer.fit(accumulate=): the gradient of several batches in one update."""

import ne_torch as nt
import numpy as np
import pytest

from data_cases import FEATURES, ROWS, fused_and_layers, make_trainer, pixels, problem, refused, weights
from samples import normal
from test_trainer_fused import TheirReLU


@fused_and_layers
@pytest.mark.parametrize("k", [2, 3, 7])
def test_accumulation_has_the_bits_of_one_large_batch(isa, relu, dtype, k):
    x, target = normal((ROWS, FEATURES), dtype, 1), normal((ROWS, 3), dtype, 2)
    one, other = make_trainer(relu, dtype), make_trainer(relu, dtype)
    a = one.fit(x, target, epochs=2, batch_size=16, accumulate=k, rng=5)
    b = other.fit(x, target, epochs=2, batch_size=16 * k, rng=5)
    assert (a.loss, weights(one)) == (b.loss, weights(other))


def test_accumulation_is_the_gradient_of_all_batches(dtype):
    """The mean over batches of equal size of their gradients, up to rounding: eps for each of 48 terms."""
    x, target = normal((48, FEATURES), dtype, 1), normal((48, 3), dtype, 2)
    trainer, model = make_trainer(dtype=dtype), make_trainer(dtype=dtype).model
    start = model.state_dict()
    trainer.fit(x, target, batch_size=16, accumulate=3, shuffle=False)
    total = {name: np.zeros(array.shape) for name, array in start.items()}
    for part in (slice(0, 16), slice(16, 32), slice(32, 48)):
        loss = nt.MSELoss()
        loss.forward(model.forward(x[part]), target[part])
        model.backward(loss.backward())
        for name, parameter in model.named_parameters().items():
            total[name] += parameter.grad / 3
    for name, parameter in trainer.model.named_parameters().items():
        expected = start[name] - 0.05 * total[name]
        scale = np.abs(start[name]).max() + 0.05 * np.abs(total[name]).max() * 48
        assert np.abs(parameter.data - expected).max() <= 64 * np.finfo(dtype).eps * scale


def test_accumulation_resumes():
    x, target = normal((ROWS, FEATURES), "float32", 1), normal((ROWS, 3), "float32", 2)
    whole, part = make_trainer(), make_trainer()
    whole.fit(x, target, epochs=2, batch_size=16, accumulate=4, rng=5)
    part.fit(x, target, epochs=2, batch_size=16, accumulate=4, rng=5, max_steps=2)
    with pytest.raises(ValueError, match="expected batch_size=64"):
        part.fit(x, target, epochs=2, batch_size=16, resume=True)
    part.fit(x, target, epochs=2, batch_size=16, accumulate=4, resume=True)
    assert weights(part) == weights(whole)


@fused_and_layers
@pytest.mark.parametrize("weighted", [False, True])
def test_accumulation_of_classes_bytes_and_weights(relu, dtype, weighted):
    x = nt.data.Scaled(pixels())
    target, weight = problem(nt.CrossEntropyLoss, dtype)
    options = {"epochs": 2, "rng": 5, "sample_weight": weight if weighted else None}
    one, other = (make_trainer(relu, dtype, loss=nt.CrossEntropyLoss) for _ in range(2))
    a = one.fit(x, target, batch_size=16, accumulate=3, **options)
    b = other.fit(x, target, batch_size=48, **options)
    assert (a.loss, weights(one)) == (b.loss, weights(other))


def test_accumulation_equals_layer_by_layer(isa, dtype):
    x, (target, weight) = normal((ROWS, FEATURES), dtype), problem(nt.CrossEntropyLoss, dtype)
    found = []
    for relu in (nt.ReLU, TheirReLU):
        trainer = make_trainer(relu, dtype, loss=nt.CrossEntropyLoss)
        assert trainer.fused == (relu is nt.ReLU)
        options = {"batch_size": 16, "accumulate": 5, "sample_weight": weight}
        history = trainer.fit(x, target, epochs=2, rng=5, **options)
        found.append((history.loss, weights(trainer)))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("accumulate", "error", "says"),
    [
        (0, ValueError, "expected accumulate as a positive integer, got 0"),
        (1.5, TypeError, "expected accumulate as a positive integer, got 1.5"),
        (2**62, ValueError, "expected batch_size * accumulate below 2**63"),
    ],
)
def test_wrong_accumulation_is_refused(accumulate, error, says):
    x, target = normal((ROWS, FEATURES), "float32"), normal((ROWS, 3), "float32")
    refused(lambda: make_trainer().fit(x, target, accumulate=accumulate), error, says)
