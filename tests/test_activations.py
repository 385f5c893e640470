"""ReLU and Softmax against torch and float64: values, gradients, shapes, extreme logits."""

from decimal import Decimal

import ne_torch as nt
import numpy as np
import pytest
import torch

import reference
from samples import NON_FINITE, normal, same_bits, with_specials

# (batch, classes): 0, 1, odd, neighbours of a vector (4, 8, 16) and of the block of rows (64), MNIST's
SHAPES = [(), (1,), (3,), (0, 3), (1, 1), (1, 10), (5, 1), (2, 3, 5), (64, 10), (64, 128)]
SHAPES += [(n + i, m) for n, m in [(4, 3), (8, 9), (16, 17), (64, 5), (128, 2)] for i in (-1, 0, 1)]
SHAPES += [(3, n + i) for n in (4, 8, 16, 32, 64) for i in (-1, 0, 1)] + [(7, 1000)]
WITH_AXIS = SHAPES[1:]


def softmax_roundings(x):
    """Return how often each output is rounded, as a multiple of u relative to it.

    The difference d = x - max is rounded, which moves exp(d) by |d| u; exp errs by 1 ulp = 2 u; the divisor
    by as much on the average, and by its n - 1 additions; the division once.
    """
    d = np.float64(x.max(axis=-1, keepdims=True)) - x
    d = np.where(np.isfinite(d), d, 0)
    s = reference.softmax_forward(x)
    return d + 2 + (s * d).sum(axis=-1, keepdims=True) + 2 + x.shape[-1] - 1 + 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_relu_parity(isa, dtype, shape):
    x, g = with_specials(shape, dtype, 0.3, 1), with_specials(shape, dtype, 0.1, 2)
    leaf = torch.tensor(x, requires_grad=True)
    y = torch.relu(leaf)
    relu = nt.ReLU()
    ours = relu(x)
    assert ours.dtype == dtype
    np.testing.assert_array_equal(ours, y.detach().numpy())
    np.testing.assert_array_equal(relu.backward(g), torch.autograd.grad(y, leaf, torch.tensor(g))[0].numpy())


def test_relu_gradient_at_special_values(isa, dtype):
    least = np.finfo(dtype).smallest_subnormal
    relu = nt.ReLU()
    y = relu(np.array([-0.0, 0.0, -least, least, -np.inf, np.inf, np.nan], dtype))
    np.testing.assert_array_equal(y, np.array([0, 0, 0, least, 0, np.inf, np.nan], dtype))
    grad = relu.backward(np.full(7, 2.0, dtype))
    assert same_bits(grad, np.array([0, 0, 0, 2, 0, 2, 2], dtype))
    assert same_bits(relu.backward(np.full(7, np.nan, dtype))[:3], np.zeros(3, dtype))


def test_relu_forgets_nothing_when_it_works_in_place(isa, dtype):
    x, g = normal((5, 7), dtype), normal((5, 7), dtype, 1)
    other = nt.ReLU()
    expected = other(x), other.backward(g)
    relu = nt.ReLU()
    y = relu.forward(x, out=x)
    assert y is x
    assert same_bits(y, expected[0])
    y[...] = -1
    assert same_bits(relu.backward(g), expected[1])


@pytest.mark.parametrize("scale", [1, 30])
@pytest.mark.parametrize("shape", WITH_AXIS, ids=str)
def test_softmax_parity(isa, dtype, shape, scale):
    x, g = scale * normal(shape, dtype, 1), normal(shape, dtype, 2)
    leaf = torch.tensor(x, requires_grad=True)
    y = torch.softmax(leaf, -1)
    grad = torch.autograd.grad(y, leaf, torch.tensor(g))[0].numpy()
    softmax = nt.Softmax()
    s = softmax(x)
    assert s.dtype == dtype
    if x.size == 0:
        assert s.shape == shape
        assert softmax.backward(g).shape == shape
        return
    expected, roundings = reference.softmax_forward(x), softmax_roundings(x)
    bound = reference.tolerance(dtype, roundings, expected)
    reference.assert_within(s, expected, bound)
    reference.assert_within(s, y.detach().numpy(), bound)
    # backward from the output as it is: a chain of n, a difference, a product; torch's output besides
    # differs from ours by the roundings of both, which pass through s twice
    magnitude = expected * (np.abs(g) + (np.abs(g) * expected).sum(axis=-1, keepdims=True))
    n = shape[-1] + 2
    bound = reference.tolerance(dtype, n + 1, magnitude)
    reference.assert_within(softmax.backward(g), reference.softmax_backward(g, s), bound)
    n = n + 2 * roundings.max(axis=-1, keepdims=True)
    bound = reference.tolerance(dtype, n, magnitude)
    reference.assert_within(softmax.backward(g), grad, bound)


@pytest.mark.parametrize(
    "logits",
    [
        *[[1e4, -1e4], [-1e4, -1e4], [1e4, 1e4, 1e4], [0, 1e4, -1e4], [3, -np.inf, 1], [-np.inf, 1e4]],
        *[[-np.inf] * 3, [np.inf, 1], [np.inf, np.inf], [np.inf, -np.inf], [np.nan, 1], [1, 2, np.nan]],
    ],
    ids=str,
)
def test_softmax_of_extreme_logits_is_as_in_torch(isa, dtype, logits):
    x = np.array(logits, dtype)
    expected = torch.softmax(torch.tensor(x), -1).numpy()
    for batch in (1, 5, 9, 16):  # every path of masks and transposes, the other rows unharmed
        rows = normal((batch, x.size), dtype)
        without = nt.Softmax()(rows)
        rows[batch // 2] = x
        s = nt.Softmax()(rows)
        others = np.arange(batch) != batch // 2
        assert same_bits(s[others], without[others])
        assert np.array_equal(np.isnan(s[batch // 2]), np.isnan(expected))
        if not np.isnan(expected).any():  # results are 0, or their logits at most 2 below the highest
            bound = reference.tolerance(dtype, x.size + 4 + 2 + 2, expected)
            reference.assert_within(s[batch // 2], expected, np.where(expected == 0, 0, bound))


def test_softmax_propagates_nan_as_torch(isa, dtype):
    x, g = (
        with_specials((33, 6), dtype, 0.1, 1, NON_FINITE),
        with_specials((33, 6), dtype, 0.05, 2, NON_FINITE),
    )
    leaf = torch.tensor(x, requires_grad=True)
    y = torch.softmax(leaf, -1)
    softmax = nt.Softmax()
    assert np.array_equal(np.isnan(softmax(x)), np.isnan(y.detach().numpy()))
    grad = torch.autograd.grad(y, leaf, torch.tensor(g))[0].numpy()
    assert np.array_equal(np.isnan(softmax.backward(g)), np.isnan(grad))


def test_activation_gradients_match_finite_differences(isa):
    x, g = normal((5, 4), "float64", 1), normal((5, 4), "float64", 2)
    for layer, h, truncation in [
        (nt.ReLU(), np.abs(x).min() / 2, 0),  # linear on either side of 0
        # softmax is logistic in each logit, with a third derivative of at most 1/8: error h^2 / 6 of it
        (nt.Softmax(), 2.0**-15, 2.0**-30 / 6 / 8 * np.abs(g).sum()),
    ]:
        layer(x)
        grad = layer.backward(g)
        difference = reference.central_difference(lambda layer=layer: (g * layer(x)).sum(), x, h)
        magnitude = (np.abs(g) * np.maximum(np.abs(x), 1)).sum()
        rounding = reference.tolerance("float64", g.size + 20, magnitude) / h
        reference.assert_within(grad, difference, rounding + truncation)


def test_softmax_exponential_is_within_one_ulp(isa, dtype):
    # exp(x) + 1 rounds to 1 for x this low, so that the softmax of (x, 0) is exp(x) itself
    low, high = (-103.9, -17.4) if dtype == "float32" else (-745.1, -37.5)
    x = np.random.default_rng(5).uniform(low, high, 500).astype(dtype)
    s = nt.Softmax()(np.stack([x, np.zeros_like(x)], axis=1))[:, 0]
    for value, argument in zip(s, x, strict=True):
        assert abs(Decimal(float(value)) - Decimal(float(argument)).exp()) <= Decimal(
            float(np.spacing(value))
        )


@pytest.mark.parametrize("scale", [1, 30])
@pytest.mark.parametrize("shape", WITH_AXIS, ids=str)
def test_log_softmax_parity(isa, dtype, shape, scale):
    x, g = scale * normal(shape, dtype, 1), normal(shape, dtype, 2)
    leaf = torch.tensor(x, requires_grad=True)
    y = torch.log_softmax(leaf, -1)
    grad = torch.autograd.grad(y, leaf, torch.tensor(g))[0].numpy()
    layer = nt.LogSoftmax()
    ours = layer(x)
    assert ours.dtype == dtype
    if x.size == 0:
        assert layer.backward(g).shape == shape
        return
    exact = torch.log_softmax(torch.tensor(x.astype("float64")), -1).numpy()
    # the sum of exponentials, each moved by its rounded difference, as in softmax; its logarithm errs by an
    # ulp, and two subtractions follow: of terms as large as the difference and the logarithm, log n at most
    roundings = softmax_roundings(x).max(axis=-1, keepdims=True)
    bound = reference.tolerance(dtype, roundings + 4, 1 + np.abs(exact) + np.log(shape[-1]))
    reference.assert_within(ours, exact, bound)
    reference.assert_within(ours, y.detach().numpy(), bound)
    # exp(output) moves by the output's error; the sum has n additions
    magnitude = np.abs(g) + np.exp(exact) * np.abs(g).sum(axis=-1, keepdims=True)
    n = shape[-1] + 4 + (roundings + 4) * (1 + np.abs(exact) + np.log(shape[-1]))
    bound = reference.tolerance(dtype, n, magnitude)
    reference.assert_within(layer.backward(g), grad, bound)


@pytest.mark.parametrize("kind", [nt.Softmax, nt.LogSoftmax])
def test_log_softmax_of_extreme_logits_is_as_in_torch(isa, dtype, kind):
    for logits in ([1e4, -1e4], [3, -np.inf, 1], [-np.inf] * 3, [np.inf, 1], [np.nan, 1], [1, 2, np.nan]):
        x = np.array(logits, dtype)
        name = {nt.Softmax: "softmax", nt.LogSoftmax: "log_softmax"}[kind]
        expected = getattr(torch, name)(torch.tensor(x), -1).numpy()
        bound = reference.tolerance(dtype, 10, np.maximum(np.abs(expected), 1))
        finite = np.isfinite(expected)
        found = kind()(x)
        np.testing.assert_array_equal(found[~finite], expected[~finite])
        reference.assert_within(found[finite], expected[finite], bound[finite])


def test_log_softmax_rows_are_independent_of_their_batch(isa, dtype):
    x, g = normal((67, 10), dtype), normal((67, 10), dtype, 1)
    whole, single = nt.LogSoftmax(), nt.LogSoftmax()
    y, grad = whole(x), whole.backward(g)
    for row in (0, 15, 63, 64, 66):
        assert same_bits(single(x[row]), y[row])
        assert same_bits(single.backward(g[row]), grad[row])


@pytest.mark.parametrize("place", ["alone", "before", "after"])
def test_log_softmax_trains_and_freezes_as_it_is(isa, dtype, place):
    def model():
        layers = {"alone": [], "before": [nt.LogSoftmax()], "after": []}[place]
        layers.append(nt.Linear(9, 5, dtype=dtype, rng=0))
        return nt.Sequential(*layers, *([] if place == "before" else [nt.LogSoftmax()]))

    class Stranger(nt.Sequential):
        """Unknown to the engine."""

    x, target = normal((21, 9), dtype), normal((21, 5), dtype, 1)
    results = []
    for one in (model(), Stranger(*model())):
        trainer = nt.Trainer(one, loss=nt.MSELoss(), optimizer=nt.SGD(one.parameters(), lr=0.1))
        losses = [trainer.step(x, target) for _ in range(3)]
        results.append((losses, [parameter.data.tobytes() for parameter in one.parameters()]))
    assert results[0] == results[1]
    assert same_bits(model().freeze()(x), model()(x))


def test_softmax_ignores_a_common_shift(isa, dtype):
    x = np.random.default_rng(3).integers(-50, 50, (37, 11)).astype(dtype)
    assert same_bits(nt.Softmax()(x + dtype.type(2**20)), nt.Softmax()(x))


def test_softmax_rows_are_independent_of_their_batch(isa, dtype):
    x, g = normal((67, 10), dtype), normal((67, 10), dtype, 1)
    whole, single = nt.Softmax(), nt.Softmax()
    s, grad = whole(x), whole.backward(g)
    for row in (0, 15, 63, 64, 66):
        assert same_bits(single(x[row]), s[row])
        assert same_bits(single.backward(g[row]), grad[row])


def test_softmax_keeps_its_output_for_backward():
    x, g = normal((4, 3), "float64"), normal((4, 3), "float64", 1)
    softmax = nt.Softmax()
    s = softmax(x)
    expected = softmax.backward(g)
    s[...] = 0
    assert same_bits(softmax.backward(g), expected)
