"""The twin of dropout, normalisation and embeddings: tests/twin/layers.cpp."""

import numpy as np

from twin_library import _call


def dropout(x, seed, passed, p):
    y = np.empty_like(x)
    _call("dropout", x.dtype, x, seed, passed, float(p), *x.shape, y)
    return y


def layer_norm_forward(x, weight, bias, eps):
    results = np.empty_like(x), np.empty_like(x), np.empty(len(x), x.dtype)
    _call("layer_norm_forward", x.dtype, x, weight, bias, float(eps), *x.shape, *results)
    return results


def layer_norm_backward(grad_output, normalized, rstd, weight):
    grad_input = np.empty_like(normalized)
    shape = normalized.shape
    _call("layer_norm_backward", rstd.dtype, grad_output, normalized, rstd, weight, *shape, grad_input)
    return grad_input


def parameter_gradients(grad_output, normalized):
    results = np.empty(normalized.shape[1], normalized.dtype), np.empty(normalized.shape[1], normalized.dtype)
    _call("parameter_gradients", normalized.dtype, grad_output, normalized, *normalized.shape, *results)
    return results


def batch_norm_forward(x, weight, bias, eps, momentum, running_mean, running_var):
    """Return output, normalized, rstd; the running statistics are updated in place."""
    results = np.empty_like(x), np.empty_like(x), np.empty(x.shape[1], x.dtype)
    options = float(eps), float(momentum)
    running = running_mean, running_var
    _call("batch_norm_forward", x.dtype, x, weight, bias, *options, *x.shape, *running, *results)
    return results


def batch_norm_backward(grad_output, normalized, rstd, weight):
    features = normalized.shape[1]
    results = np.empty_like(normalized), *(np.empty(features, rstd.dtype) for _ in range(2))
    shape = normalized.shape
    _call("batch_norm_backward", rstd.dtype, grad_output, normalized, rstd, weight, *shape, *results)
    return results


def batch_norm_eval(x, weight, bias, mean, var, eps):
    y = np.empty_like(x)
    _call("batch_norm_eval", x.dtype, x, weight, bias, mean, var, float(eps), *x.shape, y)
    return y


def embedding_backward(grad_output, codes, rows, padding):
    table = np.empty((rows, grad_output.shape[1]), grad_output.dtype)
    at = codes.ctypes.data, codes.size
    _call("embedding_backward", table.dtype, grad_output, *at, table.shape[1], rows, padding, table)
    return table


def scale_bytes(values, scale, shift):
    x, y = values.astype(scale.dtype), np.empty(values.shape, scale.dtype)
    _call("scale_bytes", scale.dtype, x, scale, shift, *x.shape, y)
    return y
