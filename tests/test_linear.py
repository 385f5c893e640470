"""Linear against torch and float64: values, gradients, shapes, NaN."""

import math

import ne_torch as nt
import numpy as np
import pytest
import torch

import reference
from samples import NON_FINITE, normal, same_bits, with_specials

# (batch, in_features, out_features): each size is 0, 1, odd, or a neighbour of a tile's rows (4, 6, 12), of a
# vector (4, 8, 16), of a tile's columns (16, 32), of the sizes above which products of one row or column,
# wide strides and large operands go other ways (csrc/functional/affine.cpp, csrc/kernels), and MNIST's
SHAPES = [
    *[(0, 3, 2), (1, 1, 1), (1, 7, 1), (1, 1, 9), (2, 1, 3), (5, 2, 1), (1, 64, 65), (3, 3, 3), (4, 4, 4)],
    *[(5, 5, 5), (6, 7, 8), (7, 8, 9), (11, 15, 16), (12, 16, 17), (13, 17, 15), (23, 31, 33), (24, 32, 32)],
    *[(25, 33, 31), (31, 3, 63), (32, 2, 64), (33, 4, 66), (59, 5, 64), (60, 64, 65), (61, 65, 63)],
    *[(1, 63, 31), (1, 64, 32), (1, 65, 33), (31, 64, 1), (33, 65, 1), (31, 1, 64), (33, 1, 65), (0, 64, 1)],
    *[(47, 65, 3), (95, 66, 5), (96, 66, 5), (97, 129, 7), (5, 66, 97), (3, 130, 385), (385, 70, 3)],
    *[(13, 512, 70), (13, 70, 512), (9, 256, 65), (97, 30, 200), (30, 200, 97), (5, 700, 200), (200, 700, 5)],
    *[(61, 1024, 17), (121, 1030, 19), (64, 784, 128), (64, 128, 10)],
]
# neighbours of every depth at which a chain may be interrupted, in each of the three products
DEPTHS = [d + i for d in (128, 256, 384, 512, 768, 1024, 2048, 4096, 8192, 16384) for i in (-1, 0, 1)]


def make(shape, dtype, **options):
    batch, in_features, out_features = shape
    linear = nt.Linear(in_features, out_features, dtype=dtype, rng=1, **options)
    if linear.bias is not None:
        linear.bias = normal(out_features, dtype, 2)
    return linear, normal((batch, in_features), dtype, 3), normal((batch, out_features), dtype, 4)


def torch_linear(linear, x, grad_output):
    """Return torch's output, grad_input, grad_weight and, where there is a bias, grad_bias."""
    arrays = [x, linear.weight] + ([] if linear.bias is None else [linear.bias])
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    y = torch.nn.functional.linear(*leaves)
    return [
        y.detach().numpy(),
        *(g.numpy() for g in torch.autograd.grad(y, leaves, torch.tensor(grad_output))),
    ]


def assert_parity(linear, x, g):
    y, grad_input = linear(x), linear.backward(g)
    ours = [y, grad_input, linear.grad_weight, linear.grad_bias]
    expected = [reference.affine_forward(x, linear.weight, linear.bias)]
    expected += reference.affine_backward(g, x, linear.weight)
    bias = 0 if linear.bias is None else np.abs(linear.bias)
    gradients = reference.affine_backward(np.abs(g), np.abs(x), np.abs(linear.weight))
    magnitudes = [reference.affine_forward(np.abs(x), np.abs(linear.weight), bias), *gradients]
    rows = math.prod(x.shape[:-1])
    chains = [linear.in_features + 1, linear.out_features, rows, rows]
    theirs = torch_linear(linear, x, g)
    assert [a.dtype for a in ours if a is not None] == [linear.dtype] * len(theirs)
    for i in range(len(theirs)):
        bound = reference.tolerance(linear.dtype, chains[i], magnitudes[i])
        reference.assert_within(ours[i], theirs[i], bound)
        reference.assert_within(ours[i], expected[i], bound)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_linear_parity(isa, dtype, shape):
    assert_parity(*make(shape, dtype))


def test_linear_parity_without_bias(isa, dtype):
    linear, x, g = make((7, 33, 9), dtype, bias=False)
    assert_parity(linear, x, g)
    assert linear.bias is None
    assert linear.grad_bias is None


@pytest.mark.parametrize("depth", DEPTHS)
def test_linear_parity_at_depth(isa, dtype, depth):
    for shape in [(3, depth, 5), (5, 3, depth), (depth, 5, 3)]:
        assert_parity(*make(shape, dtype))


@pytest.mark.parametrize("leading", [(), (1,), (2, 3), (0,), (2, 0), (2, 1, 3)])
def test_linear_leading_dimensions(isa, dtype, leading):
    linear = make((1, 7, 5), dtype)[0]
    x, g = normal((*leading, 7), dtype, 5), normal((*leading, 5), dtype, 6)
    assert_parity(linear, x, g)
    assert linear(x).shape == (*leading, 5)
    flat = make((1, 7, 5), dtype)[0]
    assert same_bits(linear(x).reshape(-1, 5), flat(x.reshape(-1, 7)))
    assert same_bits(linear.backward(g).reshape(-1, 7), flat.backward(g.reshape(-1, 5)))
    assert same_bits(linear.grad_weight, flat.grad_weight)


def test_linear_rows_are_independent_of_their_batch(isa, dtype):
    linear, x, g = make((67, 130, 37), dtype)
    y, grad_input = linear(x), linear.backward(g)
    for row in [0, 3, 11, 12, 63, 66]:
        assert same_bits(linear(x[row]), y[row])
        assert same_bits(linear.backward(g[row]), grad_input[row])


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
def test_linear_propagates_nan_and_infinity(isa, dtype, share):
    linear = make((1, 9, 17), dtype)[0]
    linear.weight = with_specials((17, 9), dtype, share / 4, 1, NON_FINITE)
    x, g = (with_specials((13, n), dtype, share, n, NON_FINITE) for n in (9, 17))
    theirs = torch_linear(linear, x, g)
    ours = [linear(x), linear.backward(g), linear.grad_weight, linear.grad_bias]
    for our, their in zip(ours, theirs, strict=True):
        for kind in (np.isnan, np.isposinf, np.isneginf):
            assert np.array_equal(kind(our), kind(their))


def test_linear_gradients_match_finite_differences(isa):
    # sum(g * y) is linear in x, in W and in b: the central difference is exact for any h, but for rounding
    linear, x, g = make((5, 7, 3), np.dtype("float64"))
    linear(x)
    gradients = [linear.backward(g), linear.grad_weight.copy(), linear.grad_bias.copy()]
    magnitude = (np.abs(g) * reference.affine_forward(np.abs(x) + 1, np.abs(linear.weight) + 1, 2)).sum()
    bound = reference.tolerance("float64", 7 + 1 + 15 + 1, magnitude)
    for array, gradient in zip([x, linear.weight, linear.bias], gradients, strict=True):
        difference = reference.central_difference(lambda: (g * linear(x)).sum(), array, h=1.0)
        reference.assert_within(gradient, difference, bound)
