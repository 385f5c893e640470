"""The independent twin of the kernels, compiled from twin/*.cpp and called through ctypes."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

SOURCES = sorted((Path(__file__).parent / "twin").glob("*.cpp"))


@cache
def _library():
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if compiler is None:
        pytest.skip("no compiler on this machine")
    info = Path("/proc/cpuinfo")
    has_fma = info.exists() and " fma " in info.read_text()
    target = Path(tempfile.mkdtemp()) / "twin.so"
    flags = ["-std=c++20", "-O2", "-ffp-contract=off", "-fPIC", "-shared", *["-mfma"] * has_fma]
    if subprocess.run([compiler, *flags, *SOURCES, "-o", target]).returncode:
        pytest.exit("the twin does not compile", returncode=1)  # else thousands of examples would try again
    return ctypes.CDLL(str(target))


def _call(name, dtype, *arguments, result=None):
    function = getattr(_library(), f"{name}_{dtype.name}")
    function.restype = result
    converted = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            assert argument.flags.c_contiguous
            assert argument.dtype == dtype
            converted.append(ctypes.c_void_p(argument.ctypes.data))
        elif isinstance(argument, float):
            converted.append(ctypes.c_double(argument))
        else:
            converted.append(argument if argument is None else ctypes.c_int64(argument))
    return function(*converted)


def affine_forward(x, weight, bias):
    y = np.empty((len(x), len(weight)), x.dtype)
    _call("affine_forward", x.dtype, x, weight, bias, len(x), x.shape[1], len(weight), y)
    return y


def affine_backward(grad_output, x, weight):
    results = np.empty_like(x), np.empty_like(weight), np.empty(len(weight), x.dtype)
    _call("affine_backward", x.dtype, grad_output, x, weight, len(x), x.shape[1], len(weight), *results)
    return results


# as in twin/activations.hpp
ACTIVATIONS = ["identity", "relu", "leaky_relu", "hardtanh", "elu", "selu", "sigmoid", "tanh", "silu"]
ACTIVATIONS += ["softplus", "gelu", "gelu_tanh"]


def activation_forward(name, x, first=0.0, second=0.0):
    y = np.empty_like(x)
    _call("activation_forward", x.dtype, ACTIVATIONS.index(name), x, x.size, first, second, y)
    return y


def activation_backward(name, grad_output, x, first=0.0, second=0.0):
    grad_input, kind = np.empty_like(x), ACTIVATIONS.index(name)
    _call("activation_backward", x.dtype, kind, grad_output, x, x.size, first, second, grad_input)
    return grad_input


def relu_forward(x):
    return activation_forward("relu", x)


def relu_backward(grad_output, x):
    return activation_backward("relu", grad_output, x)


def log_softmax_forward(x):
    y = np.empty_like(x)
    _call("log_softmax_forward", x.dtype, x, *x.shape, y)
    return y


def log_softmax_backward(grad_output, output):
    grad_input = np.empty_like(output)
    _call("log_softmax_backward", output.dtype, grad_output, output, *output.shape, grad_input)
    return grad_input


def exponential(x):
    y = np.empty_like(x)
    _call("exponential", x.dtype, x, x.size, y)
    return y


def softmax_forward(x):
    y = np.empty_like(x)
    _call("softmax_forward", x.dtype, x, *x.shape, y)
    return y


def softmax_backward(grad_output, output):
    grad_input = np.empty_like(output)
    _call("softmax_backward", output.dtype, grad_output, output, *output.shape, grad_input)
    return grad_input


def logarithms(x):
    """Return log(x) and log(1 + x)."""
    results = np.empty_like(x), np.empty_like(x)
    _call("logarithms", x.dtype, x, x.size, *results)
    return results


CLASS_WISE = ("cross_entropy", "nll")
LOSSES = ("mse", "l1", "huber", "smooth_l1", "quantile", "bce_with_logits", "poisson_nll", *CLASS_WISE)
REDUCTIONS = ("mean", "sum", "none")


def _loss_call(dtype, **given):
    number = ctypes.c_float if dtype == np.float32 else ctypes.c_double
    pointers = ("x", "target", "indices", "sample_weight", "weight", "pos_weight")

    class LossCall(ctypes.Structure):
        _fields_ = [
            *((name, ctypes.c_int64) for name in ("kind", "rows", "cols", "reduction")),
            *((name, ctypes.c_void_p) for name in pointers),
            ("first", number),
            *((name, ctypes.c_int64) for name in ("log_input", "full", "ignore_index")),
        ]

    for name in pointers:
        array = given.get(name)
        assert array is None or array.flags.c_contiguous
        assert array is None or array.dtype == (np.int64 if name == "indices" else dtype)
        given[name] = None if array is None else array.ctypes.data
    return LossCall(**given)


def _told(kind, reduction, x, given):
    told = {"kind": LOSSES.index(kind), "reduction": REDUCTIONS.index(reduction)}
    return ctypes.byref(_loss_call(x.dtype, x=x, rows=x.shape[0], cols=x.shape[1], **told, **given))


def loss_forward(kind, reduction, x, **given):
    """Return the loss of a 2-D x; given are target or indices, weights and options."""
    values = np.empty(x.shape[:1] if kind in CLASS_WISE else x.shape, x.dtype)
    function = getattr(_library(), f"loss_forward_{x.dtype.name}")
    function.restype = ctypes.c_double
    value = function(_told(kind, reduction, x, given), ctypes.c_void_p(values.ctypes.data))
    return values if reduction == "none" else value


def loss_backward(kind, reduction, x, grad_output=None, **given):
    """Return its gradient with respect to x."""
    grad = np.empty_like(x)
    upper = None if grad_output is None else ctypes.c_void_p(grad_output.ctypes.data)
    function = getattr(_library(), f"loss_backward_{x.dtype.name}")
    function.restype = None
    function(_told(kind, reduction, x, given), upper, ctypes.c_void_p(grad.ctypes.data))
    return grad


def mse_forward(prediction, target):
    return loss_forward("mse", "mean", prediction, target=target)


def mse_backward(prediction, target):
    return loss_backward("mse", "mean", prediction, target=target)


def square_sum(values):
    return _call("square_sum", values.dtype, values, *values.shape, result=ctypes.c_double)


def sgd_update(param, grad, velocity, lr, momentum, weight_decay, nesterov):
    """Update param and velocity in place."""
    options = float(lr), float(momentum), float(weight_decay), int(nesterov)
    _call("sgd_update", param.dtype, grad, param.size, *options, velocity, param)


def adam_update(param, grad, states, step, numbers, flags):
    """Update param and states in place; numbers are lr, beta1, beta2, eps, weight_decay."""
    _call("adam_update", param.dtype, grad, param.size, step, *numbers, *map(int, flags), *states, param)


def rmsprop_update(param, grad, states, numbers, flags):
    """Update param and states in place; numbers are lr, alpha, eps, weight_decay, momentum."""
    _call("rmsprop_update", param.dtype, grad, param.size, *numbers, *map(int, flags), *states, param)


def adagrad_update(param, grad, states, step, numbers, maximize):
    """Update param and its sum in place; numbers are lr, lr_decay, eps, weight_decay."""
    _call("adagrad_update", param.dtype, grad, param.size, step, *numbers, int(maximize), states[0], param)
