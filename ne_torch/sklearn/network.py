"""The network of an estimator: its layers, and its weights as scikit-learn has them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ne_torch import BatchNorm1d, Dropout, LayerNorm, Linear, Sequential, _core
from ne_torch.layer import Parameter
from ne_torch.linear import unfilled
from ne_torch.sklearn.parameters import ACTIVATIONS
from ne_torch.typing import Array

__all__ = ["Network"]

_NORMALIZATIONS = {"layer": LayerNorm, "batch": BatchNorm1d}
_ROWS = 1024  # of a sparse matrix that are made dense at a time


class Network:
    """Linear layers with activations in between; the outputs are those of the last one, before any link.

    Parameters
    ----------
    widths : sequence of int
        Features, hidden layers, outputs.
    dtype : str
    activation : str
        Of ``parameters.ACTIVATIONS``.
    dropout : float
        Share of each hidden layer's outputs that is dropped in training.
    normalization : {"layer", "batch"} or None
        What stands between a hidden layer and its activation.
    seed : int
        Of the dropout.
    """

    def __init__(
        self,
        widths: Sequence[int],
        dtype: Any,
        activation: str,
        dropout: float = 0.0,
        normalization: str | None = None,
        seed: int = 0,
    ) -> None:
        name = np.dtype(dtype).name
        self.linears = [Linear(n, m, dtype=name, init=unfilled) for n, m in pairwise(widths)]
        layers: list[Any] = []
        for i, linear in enumerate(self.linears[:-1]):
            layers.append(linear)
            if normalization is not None:
                layers.append(_NORMALIZATIONS[normalization](linear.out_features, dtype=name))
            layers.append(ACTIVATIONS[activation]())
            if dropout > 0:
                layers.append(Dropout(dropout, rng=seed + i))
        self.model = Sequential(*layers, self.linears[-1])
        self.dtype = np.dtype(dtype)
        self.view()

    def view(self) -> None:
        """Make ``coefs`` (in, out) and ``intercepts``: the live weights and biases."""
        self.coefs = [linear.weight.T for linear in self.linears]
        self.intercepts: list[Array] = [linear._bias.data for linear in self.linears if linear._bias]

    @property
    def weights(self) -> list[Parameter]:
        """What is regularised: the weights of the linear layers."""
        return [linear._weight for linear in self.linears]

    def penalty(self, decay: float) -> float:
        """Return ``decay / 2 ||W||^2`` over ``weights``."""
        return 0.5 * decay * _core.square_sum([parameter.data for parameter in self.weights])

    @property
    def others(self) -> list[Parameter]:
        """What is not: biases, and what normalisation learns."""
        regularised = {id(parameter) for parameter in self.weights}
        return [parameter for parameter in self.model.parameters() if id(parameter) not in regularised]

    def initialize(self, random_state: np.random.RandomState, factor: float) -> None:
        """Draw weights, then biases, uniform within sqrt(factor / (fan_in + fan_out)), layer by layer."""
        for coef, intercept in zip(self.coefs, self.intercepts, strict=True):
            bound = np.sqrt(factor / sum(coef.shape))
            coef[...] = random_state.uniform(-bound, bound, coef.shape)
            intercept[...] = random_state.uniform(-bound, bound, intercept.shape)

    def adopt(self, coefs: list[Any], intercepts: list[Any]) -> None:
        """Copy what somebody has put in place of the views, and put the views back."""
        for views, found in ((self.coefs, coefs), (self.intercepts, intercepts)):
            for i, view in enumerate(views):
                if found[i] is not view:
                    view[...] = found[i]
                    found[i] = view

    def forward(self, x: Any) -> Array:
        """Return the outputs in eval mode, from any number of threads; x may be a sparse matrix."""
        model = Sequential(*(copy.copy(layer) for layer in self.model)).eval()
        if not hasattr(x, "toarray"):
            return model.forward(np.ascontiguousarray(x, self.dtype))
        parts = [x[begin : begin + _ROWS].toarray() for begin in range(0, x.shape[0], _ROWS)]
        return np.concatenate([model.forward(np.ascontiguousarray(part, self.dtype)) for part in parts])

    def __getstate__(self) -> dict[str, Any]:
        return {k: value for k, value in self.__dict__.items() if k not in ("coefs", "intercepts")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.view()
