"""A float64 NumPy version of each operation, exact fused multiply-adds, and how far two results may differ.

Nothing here shares code with ne_torch. The functions take arrays of any float dtype and compute in float64.
"""

from fractions import Fraction

import numpy as np


def affine_forward(x, weight, bias=None):
    y = _f64(x) @ _f64(weight).T
    return y if bias is None else y + _f64(bias)


def affine_backward(grad_output, x, weight):
    g, x = (_f64(a).reshape(-1, a.shape[-1]) for a in (grad_output, x))
    grad_input = _f64(grad_output) @ _f64(weight)
    return grad_input, g.T @ x, g.sum(axis=0)


def relu_forward(x):
    return np.where(_f64(x) > 0, _f64(x), 0.0)


def relu_backward(grad_output, x):
    return np.where(_f64(x) > 0, _f64(grad_output), 0.0)


def softmax_forward(x):
    e = np.exp(_f64(x) - _f64(x).max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(grad_output, output):
    g, s = _f64(grad_output), _f64(output)
    return s * (g - (g * s).sum(axis=-1, keepdims=True))


def mse_forward(prediction, target):
    return np.mean((_f64(prediction) - _f64(target)) ** 2)


def mse_backward(prediction, target):
    difference = _f64(prediction) - _f64(target)
    return 2.0 / difference.size * difference


def sgd_update(param, grad, velocity, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """Return the new (param, velocity)."""
    g = _f64(grad) + weight_decay * _f64(param)
    velocity = momentum * _f64(velocity) + g
    direction = g + momentum * velocity if nesterov else velocity
    return _f64(param) - lr * direction, velocity


def gamma(roundings, unit):
    """Return n u / (1 - n u): the relative error of n successive roundings (Higham 2002, section 3.1)."""
    return roundings * unit / (1 - roundings * unit)


def tolerance(dtype, chain_length, magnitude):
    """Return how far two correct results of one sum may lie apart.

    With unit roundoff u = eps / 2, a sum of products, in any order, with or without fused multiply-adds,
    lies within gamma_n * sum |a| |b| of the exact one, where n = chain_length is the most roundings that one
    term goes through and gamma_n = n u / (1 - n u) (Higham, Accuracy and Stability of Numerical Algorithms,
    2002, section 3.1). Ours is one side and torch's, or NumPy's, is the other: twice gamma_n, which is
    n eps to first order, times magnitude = sum |a| |b|. A rounding among the subnormals errs by half of the
    smallest one instead, so n of them are added.
    """
    info = np.finfo(dtype)
    chain_length = np.asarray(chain_length, np.float64)
    underflow = chain_length * np.float64(info.smallest_subnormal)
    return 2 * gamma(chain_length, float(info.eps) / 2) * magnitude + underflow


def assert_within(actual, expected, bound):
    """Assert |actual - expected| <= bound, element by element; a NaN never is."""
    actual, expected = _f64(actual), _f64(expected)
    assert actual.shape == expected.shape
    distance = np.abs(actual - expected)
    inside = distance <= bound
    assert inside.all(), f"{(~inside).sum()} of {inside.size} outside; largest distance {distance.max()}"


def central_difference(function, array, h):
    """Return (function(array + h e) - function(array - h e)) / 2h for each element e; array is put back."""
    result = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        middle = array[index]
        array[index] = middle + h
        above = function()
        array[index] = middle - h
        result[index] = (above - function()) / (2 * h)
        array[index] = middle
    return result


def fma(a, b, c):
    """Return a * b + c, rounded once to the dtype, for finite numbers."""
    if np.asarray(a).dtype == np.float32:
        return _fma_float32(a, b, c)
    exact = np.vectorize(lambda a, b, c: float(Fraction(a) * Fraction(b) + Fraction(c)), otypes=[np.float64])
    return exact(a, b, c)


def _fma_float32(a, b, c):
    # The product is exact in float64. The sum is rounded to odd there, which keeps what the second rounding,
    # to less than half as many bits, needs to know (Boldo and Melquiond, 2008).
    p, c = _f64(a) * _f64(b), _f64(c)
    total = p + c
    shift = total - p
    error = (p - (total - shift)) + (c - shift)
    inexact_and_even = (error != 0) & (np.atleast_1d(total).view(np.int64).reshape(total.shape) % 2 == 0)
    odd = np.nextafter(total, np.where(error > 0, np.inf, -np.inf))
    return np.where(inexact_and_even, odd, total).astype(np.float32)


def product(a, b):
    """Return A B as ne_torch defines it: each element one chain of fused multiply-adds from +0, ascending."""
    total = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for t in range(a.shape[1]):
        total = fma(a[:, t, None], b[None, t], total)
    return total


def _f64(array):
    return np.asarray(array, np.float64)
