"""Every loss with every option against torch and float64: values and gradients, each reduction, weights."""

import math

import numpy as np
import pytest
import torch

import reference
from reference_losses import CASES
from samples import same_bits

CLASSES = 6
# roundings of one element or sample: exp, log and log1p err by up to 1.4 units in the last place, which is 3
# roundings; up to 3 of them follow one another, and up to 8 operations
DEEP = 3 * 3 + 8


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture(params=[1, 5, 65])
def rows(request):
    return request.param


@pytest.fixture(params=["mean", "sum", "none"])
def reduction(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["equal", "weighted"])
def sample_weight(request, rows, dtype):
    if not request.param:
        return None
    weight = np.random.default_rng(7).choice([0.0, 0.5, 1.0, 2.75], rows)
    weight[0] += 1  # not all are 0
    return weight.astype(dtype)


def weighted_reduction(values, weight, counts, reduction):
    """Reduce what torch or NumPy computed for each element or sample; weight and counts are of samples."""
    shape = (len(weight),) + (1,) * (values.ndim - 1)
    weighted = values * weight.reshape(shape)
    if reduction == "none":
        return weighted
    total = weighted.sum()
    return total if reduction == "sum" else total / (weight * counts).sum()


def torch_loss(case, x, target, weight, reduction, grad_output):
    leaf = torch.tensor(x, requires_grad=True)
    losses = case.torchs(x.dtype)(leaf, torch.tensor(target))
    weight = torch.ones(len(x), dtype=leaf.dtype) if weight is None else torch.tensor(weight)
    counts = torch.tensor(case.counts(target, *x.shape).astype(x.dtype))
    value = weighted_reduction(losses, weight, counts, reduction)
    upper = None if grad_output is None else torch.tensor(grad_output)
    return value.detach().numpy(), torch.autograd.grad(value, leaf, upper)[0].numpy()


def test_loss_parity(isa, dtype, case, rows, reduction, sample_weight):
    x, target = case.data(rows, CLASSES, dtype)
    loss = case.ours(reduction)
    value = loss(x, target, sample_weight)
    grad_output = None
    if reduction == "none":
        grad_output = np.random.default_rng(3).standard_normal(np.shape(value)).astype(dtype)
        assert value.dtype == dtype
    else:
        assert type(value) is float
    grad = loss.backward(grad_output)
    their_value, their_grad = torch_loss(case, x, target, sample_weight, reduction, grad_output)

    weight = np.ones(rows) if sample_weight is None else sample_weight.astype(np.float64)
    counts = case.counts(target, rows, CLASSES)
    if reduction == "mean" and (weight * counts).sum() == 0:
        assert math.isnan(value)
        assert np.isnan(their_value)
        return
    # of the value: one element; the sums over classes, elements or samples and the weights; the quotient
    roundings = DEEP + 2 * CLASSES + rows * CLASSES + 4
    expected, magnitude = (
        weighted_reduction(part, weight, counts, reduction) for part in case.value_and_magnitude(x, target)
    )
    bound = reference.tolerance(dtype, roundings, magnitude)
    reference.assert_within(value, expected, bound)
    reference.assert_within(value, their_value, bound)
    # of the gradient: the same, and the factor
    factor = weight.copy()
    if reduction == "mean":
        factor /= (weight * counts).sum()
    factor = factor[:, None] * np.ones_like(x, np.float64)
    if grad_output is not None:
        factor *= grad_output if grad_output.ndim == 2 else grad_output[:, None]
    expected, magnitude = (part * factor for part in case.slope_and_magnitude(x, target))
    bound = reference.tolerance(dtype, roundings + 4, np.abs(magnitude))
    reference.assert_within(grad, expected, bound)
    reference.assert_within(grad, their_grad, bound)


@pytest.mark.parametrize("reduced", ["mean", "sum"])
def test_loss_parity_with_torchs_own_reduction(dtype, case, reduced):
    x, target = case.data(33, CLASSES, dtype)
    loss = case.ours(reduced)
    value, grad = loss(x, target), loss.backward()
    leaf = torch.tensor(x, requires_grad=True)
    theirs = case.torchs(dtype, reduced)(leaf, torch.tensor(target))
    theirs.backward()
    scale = 1 if reduced == "sum" else case.counts(target, *x.shape).sum()
    roundings = DEEP + 2 * CLASSES + 33 * CLASSES + 4
    magnitude = case.value_and_magnitude(x, target)[1].sum() / scale
    reference.assert_within(value, theirs.item(), reference.tolerance(dtype, roundings, magnitude))
    magnitude = case.slope_and_magnitude(x, target)[1] / scale
    bound = reference.tolerance(dtype, roundings + 4, magnitude)
    reference.assert_within(grad, leaf.grad.numpy(), bound)


def test_loss_with_equal_weights_is_that_without(isa, dtype, case, reduction):
    x, target = case.data(65, CLASSES, dtype)
    loss = case.ours(reduction)
    plain = loss(x, target)
    grad_output = None if reduction != "none" else np.ones_like(plain)
    plain_grad = loss.backward(grad_output)
    assert same_bits(loss(x, target, np.ones(65, dtype)), plain)
    assert same_bits(loss.backward(grad_output), plain_grad)


def test_loss_of_a_sample_is_the_same_in_every_batch(isa, dtype, case):
    x, target = case.data(65, CLASSES, dtype)
    whole = case.ours("none")(x, target)
    for row in (0, 7, 64):
        alone = case.ours("none")(x[row : row + 1], target[row : row + 1])
        assert same_bits(alone[0], whole[row])


def test_loss_gradient_is_scaled_by_grad_output(isa, dtype, case):
    x, target = case.data(9, CLASSES, dtype)
    loss = case.ours()
    loss(x, target)
    assert same_bits(loss.backward(2.0), loss.backward() * 2)  # a power of two is exact
