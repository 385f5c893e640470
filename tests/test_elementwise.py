"""Every element-wise activation: torch's numbers, finite differences, the same bits everywhere.

The activations come from a table that fills itself; a new one brings its row of BOUNDS.
"""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest
import torch
from ne_torch import _core

import reference
from activations import fresh, in_torch, layers
from samples import normal, same_bits, special_values, with_specials

LAYERS = layers()
each_layer = pytest.mark.parametrize("layer", LAYERS, ids=repr)


# By name: how often value and gradient are rounded at most (an error of n ulp counts 2 n; those of the
# elementary functions are in docs/reproducibility.md), relative to which magnitude: of x and the exact y,
# and of x and the exact gradient for grad_output 1. Differences such as 1 + erf count by their terms.
BOUNDS = {
    "identity": (0, lambda x, y: y, 0, lambda x, d: d),
    "relu": (0, lambda x, y: y, 0, lambda x, d: d),
    "leaky_relu": (2, lambda x, y: y, 2, lambda x, d: d),
    "hardtanh": (1, lambda x, y: y, 0, lambda x, d: d),
    "elu": (6, lambda x, y: y, 6, lambda x, d: d),
    "selu": (7, lambda x, y: y, 7, lambda x, d: d),
    "sigmoid": (6, lambda x, y: y, 10, lambda x, d: torch.sigmoid(x)),
    "tanh": (6, lambda x, y: y, 16, lambda x, d: 1),
    "silu": (8, lambda x, y: y, 16, lambda x, d: torch.sigmoid(x) * (1 + abs(x))),
    "softplus": (10, lambda x, y: y * (1 + abs(x)), 10, lambda x, d: d * (1 + 2 * abs(x))),
    "gelu": (10, lambda x, y: x, 16, lambda x, d: 1 + abs(x) * torch.exp(-x * x / 2) * (1 + x * x)),
    "gelu_tanh": (16, lambda x, y: x, 40, lambda x, d: 1 + abs(x) * (1 + x * x)),
}


def tolerance(dtype, roundings, magnitude):
    """Return reference.tolerance, and more below the normal numbers, where torch's exp(-x) overflows."""
    magnitude = np.nan_to_num(np.abs(np.broadcast_to(np.asarray(magnitude), np.shape(magnitude))))
    return reference.tolerance(dtype, roundings, magnitude) + float(np.finfo(dtype).tiny)


def assert_close(actual, theirs, exact, bound):
    """Finite results lie within the bound of the exact ones, and of torch's; others are torch's own."""
    finite = np.isfinite(theirs)
    np.testing.assert_array_equal(actual[~finite], theirs[~finite])
    reference.assert_within(actual[finite], exact[finite], bound[finite])
    reference.assert_within(actual[finite], theirs[finite], 2 * bound[finite])


def samples(dtype):
    """Return numbers of every size, and special ones but not so large that a cube overflows."""
    special = special_values(dtype)
    special = special[~(np.abs(special) == np.finfo(dtype).max)]
    return np.concatenate(
        [special, normal(500, dtype), 4 * normal(500, dtype, 1), 30 * normal(100, dtype, 2)]
    )


def test_every_activation_of_the_kernels_is_tested():
    assert {layer.name for layer in LAYERS} == set(_core.activation_names()) == set(BOUNDS)


@each_layer
def test_activation_has_torchs_values_and_gradients(layer, isa, dtype):
    layer, theirs = fresh(layer), in_torch(layer)
    roundings, magnitude, grad_roundings, grad_magnitude = BOUNDS[layer.name]
    x = samples(dtype)
    if layer.name == "hardtanh":
        x = x[~np.isnan(x)]  # torch's gradient at a NaN depends on where in the array it stands
    if layer.name == "gelu":
        x = x[~np.isposinf(x)]  # with AVX-512 torch's value there is NaN, unless it is the last few's
    leaf = torch.tensor(x, requires_grad=True)
    wide = torch.tensor(x.astype("float64"), requires_grad=True)
    y, exact = theirs(leaf), theirs(wide)
    grad = torch.autograd.grad(y, leaf, torch.ones_like(y))[0].numpy()
    exact_grad = torch.autograd.grad(exact, wide, torch.ones_like(exact))[0]
    exact, wide = exact.detach(), wide.detach()
    scale = 1 + abs(layer.numbers[0])
    bound = tolerance(dtype, roundings, scale * magnitude(wide, exact))
    assert_close(layer(x), y.detach().numpy(), exact.numpy(), bound)
    bound = tolerance(dtype, grad_roundings, scale * grad_magnitude(wide, exact_grad) * torch.ones_like(wide))
    assert_close(layer.backward(np.ones_like(x)), grad, exact_grad.numpy(), bound)


def test_gelu_of_infinity_is_that_of_a_single_element_in_torch(isa, dtype):
    infinity = np.array([np.inf], dtype)
    expected = torch.nn.functional.gelu(torch.from_numpy(infinity)).numpy()
    np.testing.assert_array_equal(nt.GELU()(np.repeat(infinity, 33)), np.repeat(expected, 33))


@each_layer
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0), (5, 7), (2, 3, 5)], ids=str)
def test_activation_keeps_shape_and_dtype(layer, shape, dtype):
    layer = fresh(layer)
    x = normal(shape, dtype)
    y = layer(x)
    assert (y.shape, y.dtype) == (shape, dtype)
    grad = layer.backward(y)
    assert (grad.shape, grad.dtype) == (shape, dtype)


@each_layer
def test_activation_gradient_matches_finite_differences(layer, isa):
    layer = fresh(layer)
    x, h = normal(64, "float64", 3), 2.0**-13
    kinks = np.array([0.0, *layer.numbers])
    x = x[np.abs(x[:, None] - kinks).min(axis=1) > 2 * h]
    layer(x)
    grad = layer.backward(np.ones_like(x))
    difference = (fresh(layer)(x + h) - fresh(layer)(x - h)) / (2 * h)
    # third derivatives are below 8 here (Softplus(2): beta^2 / 8 or less); values within 20 roundings of 8
    truncation, rounding = 8 * h * h / 6, 20 * 2.0**-53 * 8 / h
    reference.assert_within(grad, difference, np.full(x.shape, truncation + rounding))


@each_layer
def test_activation_has_the_same_bits_everywhere(layer, isa, other_isa, dtype):
    x, grad = with_specials(1031, dtype, 0.2), normal(1031, dtype, 1)
    one, other = fresh(layer), fresh(layer)
    y, grad_input = one(x), one.backward(grad)
    _core.select_isa(other_isa)
    assert same_bits(other(x), y)
    assert same_bits(other.backward(grad), grad_input)
    for begin, end in ((0, 1), (3, 20), (8, 16), (1030, 1031)):  # alone, and in any place of a vector
        assert same_bits(other(x[begin:end]), y[begin:end])
        assert same_bits(other.backward(grad[begin:end]), grad_input[begin:end])


@each_layer
def test_activation_works_in_place(layer, dtype):
    x, grad = normal((5, 7), dtype), normal((5, 7), dtype, 1)
    one, other = fresh(layer), fresh(layer)
    y, grad_input = one(x), one.backward(grad)
    assert other.forward(x, out=x) is x
    assert same_bits(x, y)
    assert same_bits(other.backward(grad), grad_input)


@each_layer
def test_activation_is_spelled_as_in_torch(layer):
    assert repr(layer) == repr(in_torch(layer))


@each_layer
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_activation_copies_keep_their_options(layer, duplicate):
    twin = duplicate(layer)
    assert repr(twin) == repr(layer)
    x = normal(9, "float64")
    assert same_bits(twin(x), fresh(layer)(x))


@each_layer
def test_activation_backward_needs_a_forward_pass(layer):
    with pytest.raises(RuntimeError, match=f"{type(layer).__name__}: expected forward before backward"):
        fresh(layer).backward(np.ones(3))


def test_options_are_attributes_as_in_torch():
    assert nt.LeakyReLU().negative_slope == torch.nn.LeakyReLU().negative_slope
    assert (nt.Softplus().beta, nt.Softplus().threshold) == (1.0, 20.0)
    with pytest.raises(AttributeError, match="no attribute 'slope'"):
        _ = nt.LeakyReLU().slope


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nt.LeakyReLU("a"), TypeError, "LeakyReLU: expected negative_slope"),
        (lambda: nt.ELU(np.nan), ValueError, "ELU: expected alpha"),
        (lambda: nt.Hardtanh(1, 1), ValueError, "Hardtanh: expected min_val below max_val, got 1 and 1"),
        (lambda: nt.Softplus(0), ValueError, "Softplus: expected beta other than 0, got 0"),
        (lambda: nt.GELU("erf"), ValueError, "GELU: expected approximate to be 'none' or 'tanh', got 'erf'"),
    ],
)
def test_options_that_make_no_sense_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def network(layer, dtype):
    """Return a net with the activation before, between and after its dense layers."""
    one, two, three = (fresh(layer) for _ in range(3))
    first, second = (nt.Linear(n, m, dtype=dtype, rng=i) for i, (n, m) in enumerate([(9, 33), (33, 5)]))
    return nt.Sequential(one, first, two, second, three)


class Stranger(nt.Layer):
    """A layer of a user's own, so that a net is trained layer by layer."""

    def forward(self, x):
        return x

    def backward(self, grad_output):
        return grad_output


def trained(model, dtype):
    x, target = normal((37, 9), dtype), normal((37, 5), dtype, 1)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1, momentum=0.9))
    losses = [trainer.step(x, target) for _ in range(3)]
    return trainer.fused, losses, [parameter.data.tobytes() for parameter in model.parameters()]


@each_layer
def test_fused_training_equals_layer_by_layer(layer, isa, dtype):
    apart = network(layer, dtype)
    apart.append(Stranger())
    expected, found = trained(apart, dtype), trained(network(layer, dtype), dtype)
    assert (expected[0], found[0]) == (False, True)
    assert found[1:] == expected[1:]


@each_layer
def test_frozen_activation_gives_the_bits_of_forward(layer, isa, dtype, tmp_path):
    model = network(layer, dtype)
    predictor = model.freeze()
    predictor.save(tmp_path / "net")
    for rows in (1, 3, 40):
        x = with_specials((rows, 9), dtype, 0.1)
        assert same_bits(predictor(x), model(x))
        assert same_bits(nt.load_predictor(tmp_path / "net")(x), model(x))
