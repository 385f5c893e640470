"""What Linear learns: initial weights, the arrays it shows, one step of SGD."""

import math

import ne_torch as nt
import numpy as np
import pytest

import reference
from samples import normal, same_bits


def test_linear_step_is_plain_sgd(isa, dtype):
    linear = nt.Linear(5, 4, dtype=dtype, rng=1)
    x, g = normal((9, 5), dtype, 2), normal((9, 4), dtype, 3)
    weight, bias = linear.weight, linear.bias
    expected = [array.copy() for array in (weight, bias)]
    linear(x)
    linear.backward(g)
    linear.step(learning_rate=0.25)
    for before, gradient in zip(expected, (linear.grad_weight, linear.grad_bias), strict=True):
        before[...] = reference.fma(np.full_like(before, -0.25), gradient, before)
    assert same_bits(weight, expected[0])
    assert same_bits(bias, expected[1])
    assert linear.weight is weight
    assert linear.bias is bias


def test_linear_weights_are_live(dtype):
    linear, x = nt.Linear(3, 2, dtype=dtype, rng=1), normal((2, 3), dtype)
    linear.weight[...] = 0
    linear.bias[...] = [1, 2]
    assert linear(x).tolist() == [[1, 2], [1, 2]]
    weight = linear.weight
    linear.weight = np.ones((2, 3), dtype)
    assert linear.weight is weight
    assert (weight == 1).all()


def test_linear_gradients_are_overwritten_not_added():
    linear = nt.Linear(3, 2, rng=1)
    x, g = normal((4, 3), "float32", 2), normal((4, 2), "float32", 3)
    assert linear.grad_weight is None
    assert linear.grad_bias is None
    linear(x)
    linear.backward(g)
    first = linear.grad_weight.copy()
    linear.backward(g)
    assert same_bits(linear.grad_weight, first)


def test_linear_initial_weights_are_xavier_normal():
    in_features, out_features = 500, 400
    weight = nt.Linear(in_features, out_features, dtype="float64", rng=7).weight
    sigma, n = math.sqrt(2 / (in_features + out_features)), in_features * out_features
    z = weight / sigma
    # standard errors of mean, variance, skewness and kurtosis of n normal numbers; 4 of them are 1 in 16000
    for moment, expected, variance in [(z, 0, 1), (z**2, 1, 2), (z**3, 0, 15), (z**4, 3, 96)]:
        assert abs(moment.mean() - expected) < 4 * math.sqrt(variance / n)
    correlation = max(abs(np.vdot(z[1:], z[:-1])), abs(np.vdot(z[:, 1:], z[:, :-1]))) / n
    assert correlation < 4 / math.sqrt(n)
    assert (nt.Linear(3, 2, rng=0).bias == 0).all()


def test_linear_initial_weights_follow_from_rng():
    weight = nt.Linear(5, 3, rng=42).weight
    assert same_bits(nt.Linear(5, 3, rng=42).weight, weight)
    assert same_bits(nt.Linear(5, 3, rng=nt.Generator(42)).weight, weight)
    assert same_bits(nt.Linear(5, 3, rng=42, dtype="float64").weight.astype("float32"), weight)
    numpy_streams = [nt.Linear(5, 3, rng=np.random.default_rng(1)).weight for _ in range(2)]
    assert same_bits(*numpy_streams)
    assert not same_bits(nt.Linear(5, 3, rng=43).weight, weight)
    assert not same_bits(nt.Linear(5, 3).weight, nt.Linear(5, 3).weight)


def test_linear_repr_names_its_arguments():
    text = repr(nt.Linear(3, 2, bias=False, dtype=np.float64, rng=0))
    assert text == "Linear(in_features=3, out_features=2, bias=False, dtype=float64)"


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (784, 128)])
def test_linear_parameters_begin_at_cache_lines(shape, dtype):
    linear = nt.Linear(*shape, dtype=dtype, rng=0)
    optimizer = nt.SGD(linear.parameters(), lr=0.1, momentum=0.9)
    for array in [linear.weight, linear.bias, *optimizer.velocity()]:
        assert array.ctypes.data % 64 == 0
        assert array.flags.carray
