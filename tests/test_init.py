"""Initial values: torch's formulas on the numbers of our own generator."""

import functools
import math
from statistics import NormalDist

import ne_torch as nt
import numpy as np
import pytest
import torch

from samples import same_bits

SHAPES = [(1, 1), (3, 5), (17, 4), (6, 2, 3)]


@pytest.mark.parametrize(
    ("nonlinearity", "param"),
    [(n, None) for n in ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")]
    + [("leaky_relu", 0.2), ("leaky_relu", math.sqrt(5)), ("leaky_relu", 0)],
)
def test_gain_is_that_of_torch(nonlinearity, param):
    expected = torch.nn.init.calculate_gain(nonlinearity, param)
    assert nt.init.calculate_gain(nonlinearity, param) == expected


def _deviation(name, shape, **options):
    """Return torch's standard deviation for the rule that a function follows."""
    fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    if name.startswith("xavier"):
        return options.get("gain", 1.0) * math.sqrt(2.0 / float(fan_in + fan_out))
    fan = fan_out if options.get("mode") == "fan_out" else fan_in
    gain = torch.nn.init.calculate_gain(options.get("nonlinearity", "leaky_relu"), options.get("a", 0))
    return gain / math.sqrt(fan)


RULES = [
    *((f"xavier_{kind}_", options) for kind in ("uniform", "normal") for options in ({}, {"gain": 5 / 3})),
    *(
        (f"kaiming_{kind}_", options)
        for kind in ("uniform", "normal")
        for options in ({}, {"a": 0.3}, {"mode": "fan_out", "nonlinearity": "relu"}, {"nonlinearity": "tanh"})
    ),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "options"), RULES, ids=str)
def test_rules_are_those_of_torch_to_the_bit(name, options, shape, dtype):
    found = getattr(nt.init, name)(np.empty(shape, dtype), **options, rng=7)
    deviation = _deviation(name, shape, **options)
    if "uniform" in name:
        bound = math.sqrt(3.0) * deviation
        expected = nt.Generator(7).uniform(shape, -bound, bound, dtype.name)
    else:
        expected = nt.Generator(7).normal(shape, deviation, dtype.name)
    assert same_bits(found, expected)


@pytest.mark.parametrize(("name", "options"), RULES, ids=str)
def test_distribution_is_that_of_the_rule(name, options):
    n = 40_000
    found = np.sort(getattr(nt.init, name)(np.empty((200, 200)), **options, rng=3).ravel())
    theirs = getattr(torch.nn.init, name)(torch.empty(200, 200, dtype=torch.float64), **options)
    deviation = _deviation(name, (200, 200), **options)
    assert abs(theirs.std().item() / deviation - 1) < 0.03  # the same rule: 8 deviations of the estimate
    if "uniform" in name:
        bound = math.sqrt(3.0) * deviation
        share = (found + bound) / (2 * bound)
    else:
        share = np.array([NormalDist(0, deviation).cdf(value) for value in found])
    distance = np.abs(share - (np.arange(n) + 0.5) / n).max()
    assert distance < 1.95 / math.sqrt(n)  # Kolmogorov and Smirnov: exceeded by one seed in 1000


def test_plain_fills_are_what_they_say(dtype):
    array = np.empty((3, 4), dtype)
    assert nt.init.constant_(array, 0.25) is array
    assert same_bits(array, np.full((3, 4), 0.25, dtype))
    assert same_bits(nt.init.ones_(array), np.ones((3, 4), dtype))
    assert same_bits(nt.init.zeros_(array), np.zeros((3, 4), dtype))
    expected = (1.5 + nt.Generator(2).normal((3, 4), 0.5)).astype(dtype)
    assert same_bits(nt.init.normal_(array, 1.5, 0.5, rng=2), expected)
    expected = nt.Generator(2).uniform((3, 4), -2, 3, dtype.name)
    assert same_bits(nt.init.uniform_(array, -2, 3, generator=nt.Generator(2)), expected)


def test_parameters_and_strided_arrays_are_filled_in_place(dtype):
    linear = nt.Linear(5, 3, dtype=dtype)
    (parameter, _) = linear.parameters()
    assert nt.init.xavier_uniform_(parameter, rng=1) is parameter
    wide = np.zeros((3, 10), dtype)
    nt.init.xavier_uniform_(wide[:, ::2], rng=1)
    assert same_bits(wide[:, ::2].copy(), linear.weight)
    assert not wide[:, 1::2].any()


def test_default_stream_is_drawn_on_where_none_is_given():
    nt.manual_seed(5)
    first = nt.init.normal_(np.empty(3))
    nt.manual_seed(5)
    assert same_bits(nt.init.normal_(np.empty(3)), first)
    assert not same_bits(nt.init.normal_(np.empty(3)), first)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_empty_weights_have_nothing_to_fill(shape):
    for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"):
        assert getattr(nt.init, name)(np.empty(shape), rng=0).shape == shape


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nt.init.uniform_([1.0]), TypeError, "uniform_: expected a Parameter or an ndarray"),
        (lambda: nt.init.ones_(np.ones(2, int)), TypeError, "expected an array of float32 or float64"),
        (lambda: nt.init.normal_(np.ones(2), std=-1), ValueError, "normal_: expected std >= 0, got -1"),
        (lambda: nt.init.xavier_normal_(np.ones(2)), ValueError, r"a weight of shape .*, got \(2,\)"),
        (lambda: nt.init.kaiming_normal_(np.ones((2, 2)), mode="fan"), ValueError, "fan_in"),
        (lambda: nt.init.kaiming_normal_(np.ones((2, 2)), nonlinearity="x"), ValueError, "leaky_relu"),
        (lambda: nt.init.uniform_(np.ones(2), generator=1, rng=2), TypeError, "got both"),
        (lambda: nt.init.zeros_(np.broadcast_to(1.0, (2,))), ValueError, "expected a writable array"),
        (lambda: nt.Linear(2, 2, init="xavier"), ValueError, 'Linear: expected init "xavier_normal"'),
    ],
)
def test_what_cannot_be_filled_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_linear_starts_as_torch_does_on_request(dtype):
    linear = nt.Linear(16, 3, dtype=dtype, rng=9, init="torch")
    stream = nt.Generator(9)
    assert same_bits(linear.weight, stream.uniform((3, 16), -0.25, 0.25, dtype.name))
    assert same_bits(linear.bias, stream.uniform((3,), -0.25, 0.25, dtype.name))
    largest = np.abs(nt.Linear(10_000, 7, rng=0, init="torch").weight).max()
    theirs = torch.nn.Linear(10_000, 7).weight.abs().max().item()
    assert largest == pytest.approx(0.01, rel=1e-3)  # 70,000 numbers come within 1e-3 of the bound
    assert theirs == pytest.approx(0.01, rel=1e-3)


def test_linear_takes_a_rule(dtype):
    rule = functools.partial(nt.init.kaiming_normal_, nonlinearity="relu")
    linear = nt.Linear(6, 4, dtype=dtype, rng=2, init=rule)
    assert same_bits(linear.weight, rule(np.empty((4, 6), dtype), rng=2))
    assert not linear.bias.any()
    default = nt.Linear(6, 4, dtype=dtype, rng=2)
    assert same_bits(default.weight, nt.init.xavier_normal_(np.empty((4, 6), dtype), rng=2))
