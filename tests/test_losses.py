"""MSELoss against torch and float64: value, gradient, shapes, NaN."""

import math

import ne_torch as nt
import numpy as np
import pytest
import torch

import reference
from samples import NON_FINITE, normal, same_bits, with_specials

SHAPES = [(), (1,), (3,), (7, 1), (1, 7), (2, 3, 5), (64, 10), (64, 784)]
SHAPES += [(n + i, m) for n, m in [(4, 3), (8, 9), (16, 17), (64, 5), (128, 2)] for i in (-1, 0, 1)]


def torch_mse(prediction, target):
    leaf = torch.tensor(prediction, requires_grad=True)
    value = torch.nn.functional.mse_loss(leaf, torch.tensor(target))
    return value.item(), torch.autograd.grad(value, leaf)[0].numpy()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_mse_parity(isa, dtype, shape):
    prediction, target = normal(shape, dtype, 1), normal(shape, dtype, 2)
    mse = nt.MSELoss()
    value, grad = mse(prediction, target), mse.backward()
    assert type(value) is float
    assert grad.dtype == dtype
    their_value, their_grad = torch_mse(prediction, target)
    expected = reference.mse_forward(prediction, target)
    # roundings of a term: the difference, twice by its square; the square; N - 1 additions; the division
    bound = reference.tolerance(dtype, 2 + 1 + prediction.size - 1 + 1, expected)
    reference.assert_within(value, expected, bound)
    reference.assert_within(value, their_value, bound)
    # 2/N, the difference, and up to two products
    expected = reference.mse_backward(prediction, target)
    bound = reference.tolerance(dtype, 4, np.abs(expected))
    reference.assert_within(grad, expected, bound)
    reference.assert_within(grad, their_grad, bound)


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (65, 17), (130, 2)], ids=str)
def test_mse_value_sums_squares_in_float64(isa, dtype, shape):
    # differences in the dtype, a row's squares by ascending fused multiply-adds, then the rows
    prediction, target = normal(shape, dtype, 1), normal(shape, dtype, 2)
    difference = (prediction - target).astype(np.float64)
    rows = np.zeros(shape[0])
    for column in difference.T:
        rows = reference.fma(column, column, rows)
    total = 0.0
    for row in rows:
        total += row
    assert nt.MSELoss()(prediction, target) == total / difference.size


def test_mse_value_survives_what_overflows_float32(isa):
    value = nt.MSELoss()(np.array([3e30, 0], "float32"), np.zeros(2, "float32"))
    assert value == float(np.float32(3e30)) ** 2 / 2


def test_mse_of_equal_arrays_is_zero(isa, dtype):
    x, mse = normal((9, 5), dtype), nt.MSELoss()
    assert mse(x, x.copy()) == 0
    assert same_bits(mse.backward(), np.zeros_like(x))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)], ids=str)
def test_mse_of_nothing_is_nan_as_in_torch(isa, dtype, shape):
    empty, mse = np.zeros(shape, dtype), nt.MSELoss()
    assert math.isnan(mse(empty, empty))
    assert math.isnan(torch_mse(empty, empty)[0])
    assert mse.backward().shape == shape


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_mse_propagates_nan_and_infinity(isa, dtype, share):
    for seed in range(10):
        prediction = with_specials((3, 7), dtype, share, seed, NON_FINITE)
        target = with_specials((3, 7), dtype, share, seed + 10, NON_FINITE)
        mse = nt.MSELoss()
        value, grad = mse(prediction, target), mse.backward()
        their_value, their_grad = torch_mse(prediction, target)
        assert math.isnan(value) == math.isnan(their_value)
        assert math.isinf(value) == math.isinf(their_value)
        for kind in (np.isnan, np.isposinf, np.isneginf):
            assert np.array_equal(kind(grad), kind(their_grad))


def test_mse_gradient_matches_finite_differences(isa):
    # the loss is quadratic in each element: the central difference is exact for any h, but for rounding
    prediction, target = normal((4, 3), "float64", 1), normal((4, 3), "float64", 2)
    mse = nt.MSELoss()
    mse(prediction, target)
    grad = mse.backward()
    bound = reference.tolerance(
        "float64", 12 + 3, reference.mse_forward(np.abs(prediction) + 1, -np.abs(target))
    )
    difference = reference.central_difference(lambda: mse(prediction, target), prediction, h=1.0)
    reference.assert_within(grad, difference, bound)


def test_mse_repr_is_its_name():
    assert repr(nt.MSELoss()) == "MSELoss()"
