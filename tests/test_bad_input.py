"""Wrong arrays: each is a clear error with what was expected and what came, and changes nothing."""

import ne_torch as nt
import numpy as np
import pytest
import torch
from ne_torch import functional

from bench import assert_refused, table, zeros
from samples import DLPackOnly


def read_only(*shape):
    array = zeros(*shape)
    array.flags.writeable = False
    return array


# (call, exception, what the message says, ...)
INPUTS = [
    (lambda b: b.linear(DLPackOnly(zeros(4, dtype="float64"))), TypeError, "of dtype float32, got float64"),
    (lambda b: b.linear(zeros(2, 5)), ValueError, "Linear: expected input of shape (..., 4), got (2, 5)"),
    (lambda b: b.linear(zeros(4, 1)), ValueError, "Linear: expected input of shape (..., 4), got (4, 1)"),
    (lambda b: b.linear(3.0), ValueError, "Linear: expected input of shape (..., 4), got ()"),
    (lambda b: b.linear([]), ValueError, "Linear: expected input of shape (..., 4), got (0,)"),
    (
        lambda b: b.linear([[1.0, 2.0], [3.0]]),
        ValueError,
        "Linear: expected input as a rectangular array",
        "got list",
    ),
    (lambda b: b.model(zeros(2, 5)), ValueError, "Linear: expected input of shape (..., 4), got (2, 5)"),
    (
        lambda b: b.softmax(np.float32(1)),
        ValueError,
        "Softmax: expected input of shape (..., classes), got ()",
    ),
    (
        lambda b: b.relu([[1.0, 2.0], [3.0]]),
        ValueError,
        "ReLU: expected input as a rectangular array",
        "got list",
    ),
    (
        lambda b: functional.affine_forward(b.x, zeros(4)),
        ValueError,
        "weight of shape (out_features, in_features), got (4,)",
    ),
    (
        lambda b: functional.affine_forward(b.x, zeros(3, 4), zeros(4)),
        ValueError,
        "bias of shape (3,), got (4,)",
    ),
    (
        lambda b: functional.affine_forward(b.x, zeros(3, 4), zeros(3, 1)),
        ValueError,
        "bias of shape (3,), got (3, 1)",
    ),
    (
        lambda b: functional.affine_backward(zeros(2, 2), b.x, zeros(3, 4)),
        ValueError,
        "shape (2, 3), got (2, 2)",
    ),
    (
        lambda _: functional.softmax_backward(np.float32(1), np.float32(1)),
        ValueError,
        "shape (..., classes), got ()",
    ),
]
CONVERT = 'convert it with input.astype("float32")'
DTYPES = [
    (zeros(4, dtype="int64"), "got int64", CONVERT),
    ([1, 2, 3, 4], "got int64", CONVERT),
    (zeros(4, dtype="uint8"), "got uint8", CONVERT),
    (zeros(4, dtype=bool), "got bool", CONVERT),
    (zeros(4, dtype="float16"), "got float16", CONVERT),
    (zeros(4, dtype="float64"), "got float64", CONVERT),
    (torch.zeros(4, dtype=torch.float64), "got float64", CONVERT),
    (np.float64([1, 2, 3, 4]).astype(">f8"), "got >f8", CONVERT),
    (zeros(4, dtype="complex64"), "got complex64", 'take its real part: input.real.astype("float32")'),
    (zeros(4, dtype=object), "got object", 'np.asarray(input, dtype="float32")'),
    (None, "got object", 'np.asarray(input, dtype="float32")'),
    ({"a": 1}, "got object", 'np.asarray(input, dtype="float32")'),
    (np.array(["1", "2", "3", "4"]), "got <U1", 'np.asarray(input, dtype="float32")'),
    (zeros(4, dtype="datetime64[s]"), "got datetime64[s]", 'np.asarray(input, dtype="float32")'),
]
INPUTS += [
    (lambda b, x=x: b.linear(x), TypeError, "Linear: expected input of dtype float32", *says)
    for x, *says in DTYPES
]
INPUTS += [
    (
        lambda b, call=call: call(b)(zeros(4, dtype="int32")),
        TypeError,
        "of dtype float32 or float64, got int32",
        CONVERT,
    )
    for call in (lambda b: b.relu, lambda b: b.softmax)
]

BACKWARD = [
    (lambda b: nt.Linear(4, 3).backward(b.g), RuntimeError, "Linear: expected forward before backward"),
    (lambda b: nt.ReLU().backward(b.g), RuntimeError, "ReLU: expected forward before backward"),
    (lambda b: nt.Softmax().backward(b.g), RuntimeError, "Softmax: expected forward before backward"),
    (lambda _: nt.MSELoss().backward(), RuntimeError, "MSELoss: expected forward before backward"),
    (lambda b: nt.Sequential(nt.Linear(4, 3)).backward(b.g), RuntimeError, "Linear: expected forward before"),
    (lambda _: nt.Linear(4, 3).step(0.1), RuntimeError, "Linear: expected backward before step"),
    (
        lambda b: b.linear.backward(zeros(2, 4)),
        ValueError,
        "Linear: expected grad_output of shape (2, 3), got (2, 4)",
    ),
    (
        lambda b: b.linear.backward(zeros(3)),
        ValueError,
        "Linear: expected grad_output of shape (2, 3), got (3,)",
    ),
    (
        lambda b: b.model.backward(zeros(1, 3)),
        ValueError,
        "Linear: expected grad_output of shape (2, 3), got (1, 3)",
    ),
    (
        lambda b: b.relu.backward(zeros(4)),
        ValueError,
        "ReLU: expected grad_output of shape (2, 4)",
        "got (4,)",
    ),
    (
        lambda b: b.softmax.backward(zeros(2, 1)),
        ValueError,
        "Softmax: expected grad_output of shape (2, 4)",
        "(2, 1)",
    ),
    (
        lambda b: b.linear.backward(zeros(2, 3, dtype=int)),
        TypeError,
        "grad_output of dtype float32, got int64",
    ),
    (
        lambda b: b.relu.backward(zeros(2, 4, dtype="float64")),
        TypeError,
        "grad_output of dtype float32, got float64",
    ),
]

LOSSES = [
    (
        lambda b: b.mse(zeros(3), zeros(3, 1)),
        ValueError,
        "MSELoss: expected target of shape (3,)",
        "got (3, 1)",
    ),
    (
        lambda b: b.mse(zeros(3, 1), zeros(3)),
        ValueError,
        "MSELoss: expected target of shape (3, 1)",
        "got (3,)",
    ),
    (
        lambda b: b.mse(zeros(2, 3), np.float32(0)),
        ValueError,
        "MSELoss: expected target of shape (2, 3)",
        "got ()",
    ),
    (
        lambda b: b.mse(zeros(2, 3), zeros(1, 3)),
        ValueError,
        "MSELoss: expected target of shape (2, 3)",
        "got (1, 3)",
    ),
    (lambda b: b.mse(b.g, zeros(2, 3, dtype="float64")), TypeError, "target of dtype float32, got float64"),
    (
        lambda b: b.mse(b.g, zeros(2, 3, dtype=int)),
        TypeError,
        'got int64; convert it with target.astype("float32")',
    ),
    (
        lambda b: functional.mse_backward(b.g, zeros(2, 4)),
        ValueError,
        "mse_backward: expected target of shape (2, 3)",
        "(2, 4)",
    ),
]

REFUSED_OUT = "to be writable, C-contiguous, aligned and in native byte order"
OUTPUTS = [
    (
        lambda b: b.linear.forward(b.x, out=zeros(2, 4)),
        ValueError,
        "Linear: expected out of shape (2, 3), got (2, 4)",
    ),
    (
        lambda b: b.linear.forward(b.x, out=zeros(2, 3, dtype="float64")),
        TypeError,
        "out of dtype float32, got float64",
    ),
    (
        lambda b: b.linear.forward(b.x, out=[[0.0] * 3] * 2),
        TypeError,
        "out as a NumPy array to write to, got list",
    ),
    (lambda b: b.linear.forward(b.x, out=read_only(2, 3)), ValueError, REFUSED_OUT),
    (lambda b: b.linear.forward(b.x, out=zeros(3, 2).T), ValueError, REFUSED_OUT),
    (lambda b: b.linear.forward(b.x, out=zeros(2, 3).astype(">f4")), ValueError, REFUSED_OUT),
    (lambda b: b.model[2].forward(b.out, out=b.out), ValueError, "Linear: expected out to share no memory"),
    (lambda b: b.model[2].forward(b.out[:1], out=b.model[2].weight[:1]), ValueError, "to share no memory"),
    (
        lambda b: functional.relu_forward(b.x.ravel()[:7], out=b.x.ravel()[1:]),
        ValueError,
        "to share no memory",
    ),
    (
        lambda b: functional.softmax_backward(b.x[:1], b.x[1:], out=b.x),
        ValueError,
        "out of shape (1, 4), got (2, 4)",
    ),
    (lambda b: functional.mse_backward(b.g, b.target, out=read_only(2, 3)), ValueError, REFUSED_OUT),
    (lambda b: b.model[2].forward(b.out[::-1], out=b.out), ValueError, "to share no memory"),
]


@pytest.mark.parametrize(("call", "error", "says"), table(INPUTS, BACKWARD, LOSSES, OUTPUTS))
def test_wrong_array_is_refused(call, error, says):
    assert_refused(call, error, *says)
