"""LayerNorm and BatchNorm1d: parity with torch, gradients, running statistics, states, modes, errors."""

import ne_torch as nt
import numpy as np
import pytest
import torch

import reference
from samples import LAYOUTS, normal, same_bits

SHAPES = [(2, 1), (2, 3), (3, 16), (5, 17), (64, 33), (33, 64), (7, 129)]


def pair(kind, features, dtype, **options):
    """Return a layer with parameters that are not ones and zeros, and torch's twin of it."""
    layer = getattr(nt, kind)(features, dtype=dtype, **options)
    twin = getattr(torch.nn, kind)(features, dtype=getattr(torch, np.dtype(dtype).name), **options)
    for i, parameter in enumerate(layer.parameters()):
        parameter.data = normal(features, dtype, 10 + i)
    twin.load_state_dict({name: torch.from_numpy(value) for name, value in layer.state_dict().items()})
    return layer, twin


def run(layer, twin, x, grad):
    leaf = torch.tensor(x, requires_grad=True)
    theirs = twin(leaf)
    theirs.backward(torch.tensor(grad))
    return layer(x), theirs.detach().numpy(), layer.backward(grad), leaf.grad.numpy()


class Bounds:
    """How far two correct results may lie apart, over n numbers along an axis; u is the unit roundoff.

    The mean is n roundings off, of M = mean |x|; 1 / sqrt(var) is off by (n / 2 + 4) u and by what the mean's
    error makes of it, n u M rstd, so that normalized is within (n + 10) u of (1 + M rstd) (1 + |normalized|).
    A gradient sums n products of these with grad, twice, and scales: four such errors.
    """

    def __init__(self, x, grad, weight, eps, axis):
        x, grad = x.astype(np.float64), grad.astype(np.float64)
        self.dtype, self.n, self.axis = None, x.shape[axis], axis
        rstd = 1 / np.sqrt(x.var(axis=axis, keepdims=True) + eps)
        self.normalized = np.abs((x - x.mean(axis=axis, keepdims=True)) * rstd)
        self.growth = 1 + np.abs(x).mean(axis=axis, keepdims=True) * rstd
        self.weight = 1.0 if weight is None else np.abs(weight.astype(np.float64))
        self.grad, self.rstd = np.abs(grad), rstd

    def output(self, dtype, bias):
        size = self.growth * (1 + self.normalized) * self.weight + (0 if bias is None else np.abs(bias))
        return reference.tolerance(dtype, self.n + 12, size)

    def grad_input(self, dtype):
        g = self.grad * self.weight
        mean, dot = (t.mean(axis=self.axis, keepdims=True) for t in (g, g * (1 + self.normalized)))
        size = self.rstd * self.growth**2 * (g + mean + (1 + self.normalized) * dot)
        return reference.tolerance(dtype, 4 * (self.n + 10), size)

    def grad_weight(self, dtype):
        terms = self.grad * self.growth * (1 + self.normalized)
        return reference.tolerance(dtype, self.n + len(terms) + 10, terms.sum(axis=0))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    "options", [{}, {"elementwise_affine": False}, {"bias": False}, {"eps": 0.1}], ids=str
)
def test_layer_norm_parity(isa, dtype, shape, options):
    layer, twin = pair("LayerNorm", shape[1], dtype, **options)
    x, grad = 2 * normal(shape, dtype, 1) + 1, normal(shape, dtype, 2)
    bounds = Bounds(x, grad, layer.weight, layer.eps, 1)
    y, their_y, grad_input, their_grad = run(layer, twin, x, grad)
    reference.assert_within(y, their_y, bounds.output(dtype, layer.bias))
    reference.assert_within(grad_input, their_grad, bounds.grad_input(dtype))
    if layer.weight is not None:
        reference.assert_within(layer.grad_weight, twin.weight.grad.numpy(), bounds.grad_weight(dtype))
    if layer.bias is not None:
        exact = reference.tolerance(dtype, shape[0], np.abs(grad).sum(axis=0))
        reference.assert_within(layer.grad_bias, twin.bias.grad.numpy(), exact)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"affine": False},
        {"momentum": None},
        {"momentum": 0.3, "eps": 0.1},
        {"track_running_stats": False},
    ],
    ids=str,
)
def test_batch_norm_parity(isa, dtype, shape, options):
    layer, twin = pair("BatchNorm1d", shape[1], dtype, **options)
    for seed in (1, 3):  # running statistics of two batches
        x, grad = 2 * normal(shape, dtype, seed) + 1, normal(shape, dtype, seed + 1)
        bounds = Bounds(x, grad, layer.weight, layer.eps, 0)
        y, their_y, grad_input, their_grad = run(layer, twin, x, grad)
        reference.assert_within(y, their_y, bounds.output(dtype, layer.bias))
        reference.assert_within(grad_input, their_grad, bounds.grad_input(dtype))
        if layer.weight is not None:
            twin_grads = twin.weight.grad.numpy(), twin.bias.grad.numpy()
            reference.assert_within(layer.grad_weight, twin_grads[0], bounds.grad_weight(dtype))
            bias_bound = reference.tolerance(dtype, shape[0], np.abs(grad).sum(axis=0))
            reference.assert_within(layer.grad_bias, twin_grads[1], bias_bound)
            twin.zero_grad()
    theirs = twin.state_dict()
    assert layer.state_dict().keys() == theirs.keys()
    if layer.track_running_stats:
        assert int(layer.num_batches_tracked) == int(theirs["num_batches_tracked"]) == 2
        size = (np.abs(x).max() + 1) ** 2  # of a statistic, over n numbers, and four roundings a batch
        bound = reference.tolerance(dtype, 2 * shape[0] + 8, size)
        reference.assert_within(layer.running_mean, theirs["running_mean"].numpy(), bound)
        reference.assert_within(layer.running_var, theirs["running_var"].numpy(), 4 * bound)


@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_in_eval_mode_parity(isa, dtype, affine):
    layer, twin = pair("BatchNorm1d", 17, dtype, affine=affine)
    layer.load_state_dict(
        {
            **layer.state_dict(),
            "running_mean": normal(17, dtype, 5),
            "running_var": np.abs(normal(17, dtype, 6)) + 0.1,
            "num_batches_tracked": 3,
        }
    )
    twin.load_state_dict({name: torch.from_numpy(value) for name, value in layer.state_dict().items()})
    layer.eval()
    twin.eval()
    before = layer.state_dict()
    x, grad = normal((5, 17), dtype, 1), normal((5, 17), dtype, 2)
    y, their_y, grad_input, their_grad = run(layer, twin, x, grad)
    scale = 1 / np.sqrt(layer.running_var.astype(np.float64) + layer.eps)
    weight = 1.0 if layer.weight is None else np.abs(layer.weight)
    size = (np.abs(x) + np.abs(layer.running_mean)) * scale
    bias = 0 if layer.bias is None else np.abs(layer.bias)
    reference.assert_within(y, their_y, reference.tolerance(dtype, 8, size * weight + bias))
    reference.assert_within(
        grad_input, their_grad, reference.tolerance(dtype, 8, np.abs(grad) * scale * weight)
    )
    if affine:
        bound = reference.tolerance(dtype, 12, (np.abs(grad) * size).sum(axis=0))
        reference.assert_within(layer.grad_weight, twin.weight.grad.numpy(), bound)
        bound = reference.tolerance(dtype, 5, np.abs(grad).sum(axis=0))
        reference.assert_within(layer.grad_bias, twin.bias.grad.numpy(), bound)
    assert all(same_bits(value, before[name]) for name, value in layer.state_dict().items())


def test_batch_norm_without_running_statistics_takes_the_batch_in_eval_mode(dtype):
    layer, _ = pair("BatchNorm1d", 5, dtype, track_running_stats=False)
    x = normal((6, 5), dtype)
    assert same_bits(layer.eval()(x), layer.train()(x))


@pytest.mark.parametrize("kind", ["LayerNorm", "BatchNorm1d"])
def test_normalization_gradients_match_finite_differences(isa, kind):
    layer, _ = pair(kind, 5, np.dtype("float64"))
    x, g, h = normal((4, 5), "float64", 1), normal((4, 5), "float64", 2), 1e-5
    layer(x)
    pairs = [(x, layer.backward(g)), (layer.weight, layer.grad_weight), (layer.bias, layer.grad_bias)]
    for array, grad in pairs:
        difference = reference.central_difference(lambda: float((layer(x) * g).sum()), array, h)
        # h^2 times a third derivative of some tens, and rounding of a sum of 20 over h
        reference.assert_within(grad, difference, 100 * h**2 + 1e-13 / h)


@pytest.mark.parametrize("kind", ["LayerNorm", "BatchNorm1d"])
@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name not in ("list", "zero_strides")])
def test_normalization_takes_any_layout(kind, layout, dtype):
    layer, other = pair(kind, 6, dtype)[0], pair(kind, 6, dtype)[0]
    x = normal((4, 6), dtype)
    laid_out = LAYOUTS[layout](x)
    dense = np.asarray(laid_out._array if layout == "dlpack_only" else laid_out).astype(dtype, order="C")
    assert same_bits(layer(laid_out), other(dense))


def test_layer_norm_takes_any_number_of_axes(dtype):
    layer = nt.LayerNorm((6,), dtype=dtype)
    x = normal((2, 3, 6), dtype)
    y = layer(x)
    assert same_bits(y.reshape(6, 6), layer(x.reshape(6, 6)))
    layer(x)
    assert layer.backward(y).shape == x.shape
    assert layer(x[:0]).shape == (0, 3, 6)
    assert same_bits(layer(x[1, 1]), y[1, 1])


@pytest.mark.parametrize("kind", ["LayerNorm", "BatchNorm1d"])
def test_normalization_lets_nan_and_inf_through(kind, dtype):
    x = normal((4, 4), dtype)
    x[1, 2], x[3, 3] = np.nan, np.inf
    y = getattr(nt, kind)(4, dtype=dtype)(x)
    wrong = np.isnan(y)
    rows = wrong.any(axis=1) if kind == "LayerNorm" else wrong.any(axis=0)
    assert rows.tolist() == (
        [False, True, False, True] if kind == "LayerNorm" else [False, False, True, True]
    )


def test_batch_norm_states_go_to_torch_and_back(dtype):
    layer, twin = pair("BatchNorm1d", 4, dtype)
    layer(normal((3, 4), dtype))
    twin(torch.from_numpy(normal((3, 4), dtype)))
    back = nt.BatchNorm1d(4, dtype=dtype)
    back.load_state_dict(twin.state_dict())
    assert back.num_batches_tracked.dtype == np.int64
    assert int(back.num_batches_tracked) == 1
    twin.load_state_dict({name: torch.from_numpy(value) for name, value in layer.state_dict().items()})
    assert same_bits(twin.running_var.numpy(), layer.running_var)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: nt.LayerNorm(0), ValueError, "normalized_shape"),
        (lambda: nt.LayerNorm((2, 3)), ValueError, "last axis"),
        (lambda: nt.LayerNorm(3, eps="x"), TypeError, "eps"),
        (lambda: nt.LayerNorm(3, dtype="int8"), TypeError, "dtype"),
        (lambda: nt.BatchNorm1d(-1), ValueError, "num_features"),
        (lambda: nt.BatchNorm1d(3, momentum=float("nan")), ValueError, "momentum"),
        (lambda: nt.LayerNorm(3)(np.zeros((2, 4), "float32")), ValueError, r"\(\.\.\., 3\), got \(2, 4\)"),
        (lambda: nt.LayerNorm(3)(np.zeros((2, 3))), TypeError, "float64"),
        (lambda: nt.BatchNorm1d(3)(np.zeros((2, 4), "float32")), ValueError, r"\(samples, 3\)"),
        (lambda: nt.BatchNorm1d(3)(np.zeros((1, 3), "float32")), ValueError, "at least 2 samples"),
        (lambda: nt.BatchNorm1d(3).backward(np.zeros((1, 3), "float32")), RuntimeError, "forward"),
        (lambda: nt.LayerNorm(3).backward(np.zeros((1, 3), "float32")), RuntimeError, "forward"),
    ],
)
def test_normalization_errors_say_what_is_wrong(make, error, match):
    with pytest.raises(error, match=match):
        make()


@pytest.mark.parametrize("kind", ["LayerNorm", "BatchNorm1d"])
def test_normalization_backward_checks_the_shape(kind, dtype):
    layer, _ = pair(kind, 3, dtype)
    layer(normal((4, 3), dtype))
    with pytest.raises(ValueError, match=r"grad_output of the shape|expected grad_output"):
        layer.backward(normal((4, 2), dtype))
    assert layer.grad_weight is None


def test_refused_batch_leaves_running_statistics(dtype):
    layer = nt.BatchNorm1d(3, dtype=dtype)
    before = layer.state_dict()
    for wrong in (normal((1, 3), dtype), normal((2, 2), dtype), [["a"] * 3] * 2):
        with pytest.raises((ValueError, TypeError)):
            layer(wrong)
    assert all(same_bits(value, before[name]) for name, value in layer.state_dict().items())
