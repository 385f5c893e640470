"""Clipping of gradients: torch's functions, the bits of their definition, and what cannot be clipped."""

import math

import ne_torch as nt
import numpy as np
import pytest
import torch

import twin_library as twin
from samples import normal, same_bits

SHAPES = [(17, 33), (33,), (5, 17), (5,), (2, 3, 4), (1,)]


def parameters(dtype, scale=1.0):
    ours = [nt.Parameter(np.zeros(shape, dtype)) for shape in SHAPES]
    theirs = [torch.zeros(shape, dtype=getattr(torch, dtype.name), requires_grad=True) for shape in SHAPES]
    for i, (p, leaf) in enumerate(zip(ours, theirs, strict=True)):
        p.grad = dtype.type(scale) * normal(p.shape, dtype, i)
        leaf.grad = torch.tensor(p.grad)
    return ours, theirs


@pytest.mark.parametrize("norm_type", [2, 2.0, 1, math.inf])
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 5.0, 1e4, math.inf])
def test_norm_clipping_is_that_of_torch(isa, dtype, max_norm, norm_type):
    """The norm of ours is in float64; torch's is rounded 700 times in the dtype at most."""
    ours, theirs = parameters(dtype)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type).item()
    eps = float(np.finfo(dtype).eps)
    assert nt.clip_grad_norm_(ours, max_norm, norm_type) == pytest.approx(expected, rel=700 * eps)
    for p, leaf in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad, leaf.grad.numpy(), rtol=702 * eps)


@pytest.mark.parametrize("max_norm", [0.5, 1e4])
def test_norm_clipping_is_its_definition(isa, dtype, max_norm):
    ours, _ = parameters(dtype)
    grads = [p.grad.copy() for p in ours]
    total = 0.0
    for grad in grads:
        for row in grad.reshape(-1, grad.shape[-1]):
            total += twin.square_sum(np.ascontiguousarray(row[None]))
    norm = math.sqrt(total)
    assert nt.clip_grad_norm_(ours, max_norm) == norm
    factor = dtype.type(min(max_norm / (norm + 1e-6), 1.0))
    assert all(same_bits(p.grad, factor * grad) for p, grad in zip(ours, grads, strict=True))


@pytest.mark.parametrize("clip_value", [0.0, 0.25, 100.0])
def test_value_clipping_is_that_of_torch(dtype, clip_value):
    ours, theirs = parameters(dtype)
    for p, leaf in zip(ours, theirs, strict=True):
        p.grad.flat[0], leaf.grad.view(-1)[0] = np.nan, math.nan
        p.grad.flat[-1], leaf.grad.view(-1)[-1] = -np.inf, -math.inf
    nt.clip_grad_value_(ours, clip_value)
    torch.nn.utils.clip_grad_value_(theirs, clip_value)
    for p, leaf in zip(ours, theirs, strict=True):
        assert np.array_equal(p.grad, leaf.grad.numpy(), equal_nan=True)


@pytest.mark.parametrize("value", [np.inf, np.nan])
@pytest.mark.parametrize("norm_type", [2, 1, math.inf])
def test_norm_that_is_not_finite_is_torchs_or_an_error(dtype, value, norm_type):
    ours, theirs = parameters(dtype)
    ours[2].grad[1, 1] = value
    theirs[2].grad[1, 1] = value
    before = [p.grad.copy() for p in ours]
    with pytest.raises(RuntimeError, match="expected gradients with a finite norm, got"):
        nt.clip_grad_norm_(ours, 1.0, norm_type, error_if_nonfinite=True)
    assert all(same_bits(p.grad, grad) for p, grad in zip(ours, before, strict=True))
    expected = torch.nn.utils.clip_grad_norm_(theirs, 1.0, norm_type).item()
    assert nt.clip_grad_norm_(ours, 1.0, norm_type) == pytest.approx(expected, nan_ok=True)
    for p, leaf in zip(ours, theirs, strict=True):
        assert np.array_equal(p.grad, leaf.grad.numpy(), equal_nan=True)


def test_squares_that_overflow_the_dtype_do_not_overflow_the_norm():
    parameter = nt.Parameter(np.zeros(2, "float32"))
    parameter.grad = np.array([3e30, 4e30], "float32")
    assert nt.clip_grad_norm_(parameter, 1.0) == pytest.approx(5e30, rel=1e-7)
    np.testing.assert_allclose(parameter.grad, [0.6, 0.8], rtol=1e-6)


def test_parameters_without_gradients_are_passed_over():
    ours = [nt.Parameter(np.zeros(2)), nt.Parameter(np.zeros((0, 3))), nt.Parameter(np.zeros((2, 2)))]
    assert nt.clip_grad_norm_(ours, 1.0) == 0.0
    ours[1].grad, ours[2].grad = np.zeros((0, 3)), np.full((2, 2), 2.0)[:, ::-1]
    for norm_type, norm in ((2, 4.0), (1, 8.0), (math.inf, 2.0)):
        assert nt.clip_grad_norm_(ours, math.inf, norm_type) == norm
    nt.clip_grad_value_(ours, 1.0)
    assert ours[2].grad.tolist() == [[1, 1], [1, 1]]


def _read_only():
    parameter = nt.Parameter(np.zeros(2))
    parameter.grad = np.broadcast_to(1.0, 2)
    return parameter


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: nt.clip_grad_norm_(p, "1"), TypeError, "clip_grad_norm_: expected max_norm"),
        (lambda p: nt.clip_grad_norm_(p, 1.0, 3), ValueError, "expected norm_type 1, 2 or inf, got 3"),
        (lambda _: nt.clip_grad_norm_([1.0], 1.0), TypeError, "expected params from model.parameters"),
        (lambda p: nt.clip_grad_value_(p, -1), ValueError, "expected clip_value >= 0, got -1"),
        (lambda _: nt.clip_grad_value_(_read_only(), 1), ValueError, "gradients that are writable arrays"),
    ],
)
def test_what_cannot_be_clipped_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(parameters(np.dtype("float32"))[0])
