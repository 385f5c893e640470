"""Layers and nets for the tests of ONNX, and what runs a file."""

import ne_torch as nt
import numpy as np
import onnx
import onnx.reference
import onnxruntime

from activations import layers as activations
from samples import normal

WIDTH, OUT = 9, 5


def _norm(kind, d, **options):
    layer = kind(WIDTH, dtype=d, **options)
    for i, parameter in enumerate(layer.parameters()):
        parameter.data = parameter.data + normal(parameter.shape, d, i) / 4
    if isinstance(layer, nt.BatchNorm1d):
        layer.running_mean[...] = normal(WIDTH, d, 5)
        layer.running_var[...] = normal(WIDTH, d, 6) ** 2 + 0.5
    return layer


def _linear(n, m, d, rng=0, bias=True):
    layer = nt.Linear(n, m, bias, dtype=d, rng=rng)
    if bias:
        layer.bias = normal(m, d, rng)
    return layer


def _after(layer, d):
    """Return layers of dtype d that end with one that has none."""
    return [_linear(WIDTH, WIDTH, d), layer]


LAYERS = {
    **{
        f"activation {i} {layer!r}": lambda d, layer=layer: _after(layer, d)
        for i, layer in enumerate(activations())
    },
    "softmax": lambda d: _after(nt.Softmax(), d),
    "log softmax": lambda d: _after(nt.LogSoftmax(), d),
    "linear": lambda d: [_linear(WIDTH, OUT, d)],
    "linear without bias": lambda d: [_linear(WIDTH, OUT, d, bias=False)],
    "layer norm": lambda d: [_norm(nt.LayerNorm, d, eps=2.0**-10)],
    "layer norm without bias": lambda d: [_norm(nt.LayerNorm, d, bias=False)],
    "layer norm without affine": lambda d: [_norm(nt.LayerNorm, d, elementwise_affine=False)],
    "batch norm": lambda d: [_norm(nt.BatchNorm1d, d, eps=2.0**-10)],
    "batch norm without affine": lambda d: [_norm(nt.BatchNorm1d, d, affine=False, momentum=0.3)],
    "dropout last": lambda d: _after(nt.Dropout(0.5), d),
}
NETS = {
    "perceptron": lambda d: [_linear(WIDTH, 33, d), nt.ReLU(), nt.Dropout(0.4), _linear(33, OUT, d, 1)],
    "classifier": lambda d: [_linear(WIDTH, 7, d), nt.GELU(), _linear(7, OUT, d, 2), nt.LogSoftmax()],
    "nested": lambda d: [nt.Sequential(_linear(WIDTH, 4, d), nt.Sequential(nt.SiLU())), _linear(4, OUT, d)],
    "residual": lambda d: [
        nt.Residual(nt.Residual(_norm(nt.LayerNorm, d), nt.SiLU()), _linear(WIDTH, WIDTH, d)),
        nt.Residual(nt.SiLU(), nt.Residual(nt.Softplus(2.0, 3.0))),
        nt.Residual(),
        _norm(nt.BatchNorm1d, d),
        nt.Identity(),
        _linear(WIDTH, OUT, d, 3),
    ],
}
EMBEDDED = {
    "embedding": lambda d: [nt.Embedding(6, 4, dtype=d, rng=0), _linear(4, OUT, d), nt.Tanh()],
    "tabular": lambda d: [
        nt.TabularEmbedding(WIDTH, {1: (6, 3), 4: (3, 2)}, dtype=d, rng=0),
        _linear(WIDTH + 3, OUT, d),
    ],
    "categories alone": lambda d: [nt.TabularEmbedding(1, {0: (6, 3)}, dtype=d, rng=0)],
}
ALL = {**LAYERS, **NETS, **EMBEDDED}


def make(name, dtype):
    return nt.Sequential(*ALL[name](dtype)).eval()


def rows(name, dtype, count):
    if name == "embedding":
        return np.arange(count) % 6
    x = 3 * normal((count, 1 if name == "categories alone" else WIDTH), dtype, count)
    if name == "tabular":
        x[:, 1], x[:, 4] = np.arange(count) % 6, np.arange(count) % 3
    return np.arange(count).reshape(-1, 1).astype(dtype) % 6 if name == "categories alone" else x


def run(path, x):
    """Return a file's output in onnxruntime, in onnx's own evaluator where it lacks a kernel; and which."""
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
        with np.errstate(all="ignore"):
            return onnx.reference.ReferenceEvaluator(str(path)).run(None, {"input": x})[0], "reference"
    return session.run(None, {"input": x})[0], "onnxruntime"
