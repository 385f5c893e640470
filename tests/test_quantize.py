"""Reduced weights: rounded once as defined, then float32 arithmetic with the same bits everywhere."""

import ne_torch as nt
import numpy as np
import pytest
import torch
from ne_torch import _core
from ne_torch.serving.quantize import from_bfloat16, to_bfloat16, to_int8

from networks import make
from samples import normal, same_bits, special_values, with_specials


def test_bfloat16_rounds_as_torch_does():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 1_000_000, dtype=np.uint32)
    ties = np.arange(0, 2**32, 2**15, dtype=np.uint64).astype(np.uint32)
    values = np.concatenate([bits.view(np.float32), ties.view(np.float32), special_values(np.float32)])
    expected = torch.from_numpy(values).to(torch.bfloat16).to(torch.float32).numpy()
    assert same_bits(from_bfloat16(to_bfloat16(values)), expected)


def test_int8_is_within_half_a_scale(isa):
    weight = normal((40, 100), "float32") * np.logspace(-30, 30, 40, dtype="float32")[:, None]
    integers, scale = to_int8(weight)
    assert integers.dtype == np.int8
    assert (np.abs(integers).max(axis=1) == 127).all()
    error = np.abs(weight - integers * scale[:, None].astype("float64")) / scale[:, None]
    assert error.max() <= 0.5 + 127 * np.finfo("float32").eps  # the quotient is rounded once, too


def test_int8_takes_rows_without_a_scale():
    weight = np.zeros((3, 4), "float32")
    weight[1] = np.finfo("float32").smallest_subnormal
    integers, scale = to_int8(weight)
    assert (integers * scale[:, None] == 0).all()


def test_int8_refuses_weights_that_are_not_finite():
    layer = nt.Linear(2, 2, rng=0)
    layer.weight[0, 0] = np.inf
    with pytest.raises(ValueError, match="freeze: expected finite weights"):
        layer.freeze("int8")
    assert not np.isfinite(layer.freeze("bfloat16")(np.ones(2, "float32"))[0])


@pytest.mark.parametrize(("dtype", "weights"), [("float32", "float16"), ("float32", 8), ("float64", "int8")])
def test_freeze_refuses_weights_that_it_does_not_have(dtype, weights):
    with pytest.raises((ValueError, TypeError), match="freeze: expected"):
        nt.Linear(2, 2, dtype=dtype).freeze(weights)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 7, 64])
def test_bfloat16_is_the_forward_of_rounded_weights(rows, bias, isa):
    model = nt.Sequential(
        nt.Linear(70, 150, bias=bias, rng=0), nt.ReLU(), nt.Linear(150, 9, bias=bias, rng=1)
    )
    x = with_specials((rows, 70), np.float32, 0.05)
    predictor = model.freeze("bfloat16")
    for layer in (model[0], model[2]):
        layer.weight = from_bfloat16(to_bfloat16(layer.weight))
    assert same_bits(predictor(x), model.forward(x))
    assert predictor.weights == "bfloat16"


@pytest.mark.parametrize("rows", [1, 2, 7, 64])
def test_int8_is_the_forward_of_integers_and_a_scale(rows, isa):
    layer = nt.Linear(70, 150, bias=False, rng=0)
    x = with_specials((rows, 70), np.float32, 0.05)
    predictor = layer.freeze("int8")
    integers, scale = to_int8(layer.weight)
    layer.weight = integers.astype("float32")
    assert same_bits(predictor(x), layer.forward(x) * scale)
    assert predictor.weights == "int8"


@pytest.mark.parametrize("weights", ["bfloat16", "int8"])
def test_reduced_weights_give_the_same_bits_everywhere(weights, isa, other_isa, threads):
    model, _ = make((130, 257, 33), np.dtype("float32"))
    predictor, x = model.freeze(weights), normal((200, 130), "float32")
    expected = predictor(x)
    _core.select_isa(other_isa)
    for count in (1, 3):
        nt.set_num_threads(count)
        assert same_bits(predictor(x), expected)
        for begin, end in [(0, 1), (5, 7), (10, 15), (100, 200)]:
            assert same_bits(predictor(x[begin:end]), expected[begin:end])


@pytest.mark.parametrize(("weights", "share"), [("bfloat16", 0.5), ("int8", 0.25)])
def test_reduced_weights_take_their_share_of_memory(weights, share):
    model, _ = make((512, 512, 512), np.dtype("float32"))
    whole = model.freeze().nbytes
    assert share <= model.freeze(weights).nbytes / whole < share + 0.01


@pytest.mark.parametrize(("weights", "bound"), [("bfloat16", 2**-7), ("int8", 2**-5)])
def test_reduced_weights_stay_near_the_model(weights, bound):
    model, _ = make((784, 128, 10), np.dtype("float32"))
    x = normal((100, 784), "float32")
    expected = model.forward(x)
    difference = model.freeze(weights)(x) - expected
    assert 0 < np.sqrt((difference**2).mean() / (expected**2).mean()) < bound
