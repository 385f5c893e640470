"""Every element-wise activation of ne_torch, found by itself, with its twin of torch."""

import inspect

import ne_torch as nt
import torch
from ne_torch.activations import Activation

# besides each class with torch's defaults
_OTHERS = [
    nt.LeakyReLU(-0.3),
    nt.Hardtanh(-0.5, 2.0),
    nt.ELU(0.3),
    nt.Softplus(2.0, 3.0),
    nt.Softplus(-0.7, 5.0),
    nt.GELU(approximate="tanh"),
]


def layers():
    """Return a layer of every class, and some with other options."""
    values = [getattr(nt, name) for name in nt.__all__]  # vars(nt) has only what was asked for so far
    public = [value for value in values if inspect.isclass(value)]
    return [kind() for kind in public if issubclass(kind, Activation)] + _OTHERS


def fresh(layer):
    """Return another layer of the same options."""
    options = {"approximate": layer.approximate} if isinstance(layer, nt.GELU) else layer.options
    return type(layer)() if isinstance(layer, nt.ReLU6) else type(layer)(**options)


def in_torch(layer):
    """Return torch's layer: names and arguments are the same."""
    kind = getattr(torch.nn, type(layer).__name__)
    if isinstance(layer, nt.GELU):
        return kind(approximate=layer.approximate)
    return kind() if isinstance(layer, nt.ReLU6) else kind(**layer.options)
