"""Dropout: what is dropped, by which words, in which mode, and that training goes on with the same masks."""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import _core

from samples import normal, same_bits


def masks(seed, passed, p, shape):
    """Compute the mask from its definition, word by word, with the generator that the vectors test."""
    rows, cols = shape
    kept = np.empty(shape, bool)
    for b in range(rows):
        for f in range(cols):
            counter = [passed % 2**32, passed // 2**32, b, f // 4]
            words = _core.philox4x32(counter, seed % 2**32, seed // 2**32)
            kept[b, f] = words[f % 4] >= round(p * 2**32)
    return kept


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_is_its_definition(isa, dtype, p):
    layer = nt.Dropout(p, rng=7)
    seed = int(layer.stream[0])
    x = normal((9, 13), dtype) + 10
    for passed in range(3):
        kept = masks(seed, passed, p, x.shape)
        expected = np.where(kept, x * dtype.type(1 / (1 - p)), dtype.type(0))
        assert same_bits(layer(x), expected)
        g = normal((9, 13), dtype, 1)
        assert same_bits(layer.backward(g), np.where(kept, g * dtype.type(1 / (1 - p)), dtype.type(0)))
    assert layer.stream.tolist() == [seed, 3]


def test_dropout_drops_the_share_it_says(isa):
    y = nt.Dropout(0.3, rng=1)(np.ones((1000, 400), "float32"))
    # a binomial of 400,000: six deviations
    assert abs((y == 0).mean() - 0.3) < 6 * np.sqrt(0.3 * 0.7 / y.size)
    assert np.unique(y).tolist() == [0, np.float32(1 / 0.7)]


@pytest.mark.parametrize("p", [0.0, 1e-11])
def test_dropout_of_nothing_is_the_identity(p, dtype):
    layer = nt.Dropout(p)
    x = normal((3, 4), dtype)
    y = layer(x)
    assert same_bits(y, x)
    assert not np.shares_memory(y, x)
    assert same_bits(layer.backward(x), x)
    assert layer.stream[1] == 0


@pytest.mark.parametrize("p", [1, 1 - 2.0**-34])
def test_dropout_of_everything_is_zero(p, dtype):
    layer = nt.Dropout(p)
    x = np.array([[1.0, -1.0, np.nan, np.inf]], dtype)
    assert same_bits(layer(x), np.zeros_like(x))
    assert same_bits(layer.backward(x), np.zeros_like(x))


def test_eval_mode_is_the_identity_and_draws_nothing(dtype):
    layer = nt.Dropout(0.5, rng=0).eval()
    x, out = normal((3, 4), dtype), np.empty((3, 4), dtype)
    assert same_bits(layer(x), x)
    assert layer.forward(x, out) is out
    assert same_bits(out, x)
    assert same_bits(layer.backward(x), x)
    assert layer.stream[1] == 0


def test_backward_takes_the_mode_of_the_last_forward(dtype):
    layer = nt.Dropout(0.5, rng=0)
    ones = np.ones((4, 5), dtype)
    y = layer(ones)
    layer.eval()
    assert same_bits(layer.backward(ones), y)


def test_dropout_works_in_place(dtype):
    a, b = nt.Dropout(0.5, rng=3), nt.Dropout(0.5, rng=3)
    x = normal((5, 6), dtype)
    expected = a(x)
    assert b.forward(x, x) is x
    assert same_bits(x, expected)


@pytest.mark.parametrize("shape", [(), (5,), (0, 4), (4, 0), (2, 3, 4)])
def test_dropout_takes_any_shape(shape, dtype):
    layer = nt.Dropout(0.5, rng=2)
    x = np.ones(shape, dtype)
    y = layer(x)
    assert y.shape == layer.backward(x).shape == shape
    assert same_bits(layer.backward(x), y)
    if len(shape) == 3:
        again = nt.Dropout(0.5, rng=2)(x.reshape(6, 4))
        assert same_bits(again.reshape(shape), y)


def test_seeds_come_from_rng():
    first, second = (nt.Dropout(rng=5).stream[0] for _ in range(2))
    assert first == second
    generator = nt.Generator(5)
    assert nt.Dropout(rng=generator).stream[0] == first
    assert nt.Dropout(rng=generator).stream[0] != first
    nt.manual_seed(5)
    assert nt.Dropout().stream[0] == first


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_go_on_with_the_stream(duplicate, dtype):
    layer = nt.Dropout(0.5, rng=4)
    x = normal((3, 7), dtype)
    layer(x)
    other = duplicate(layer)
    assert same_bits(other(x), layer(x))
    assert other.stream is not layer.stream


def test_stream_is_no_part_of_state_dict():
    model = nt.Sequential(nt.Linear(2, 2), nt.Dropout())
    assert list(model.state_dict()) == ["0.weight", "0.bias"]
    assert list(model.named_buffers()) == ["1.stream"]


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: nt.Dropout(1.5), ValueError, "from 0 to 1"),
        (lambda: nt.Dropout(-0.1), ValueError, "from 0 to 1"),
        (lambda: nt.Dropout(float("nan")), ValueError, "p"),
        (lambda: nt.Dropout("half"), TypeError, "p"),
        (lambda: nt.Dropout()(np.ones(3, int)), TypeError, "input"),
        (lambda: nt.Dropout().backward(np.ones(3)), RuntimeError, "forward"),
    ],
)
def test_dropout_errors_say_what_is_wrong(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_refused_calls_draw_nothing(dtype):
    layer = nt.Dropout(rng=0)
    with pytest.raises(TypeError):
        layer(np.ones((2, 2), int))
    with pytest.raises(ValueError, match="out"):
        layer.forward(np.ones((2, 2), dtype), np.ones((3, 3), dtype))
    assert layer.stream[1] == 0
    layer(np.ones((2, 2), dtype))
    with pytest.raises(ValueError, match=r"shape \(2, 2\), got \(2, 3\)"):
        layer.backward(np.ones((2, 3), dtype))
