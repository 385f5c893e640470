"""What the estimators may be made with: what scikit-learn's take, and what ours take besides."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

import ne_torch as nt

__all__ = ["ACTIVATIONS", "CONSTRAINTS", "STOCHASTIC", "hidden_sizes", "keep_arguments"]

ACTIVATIONS = {
    "identity": nt.Identity,
    "logistic": nt.Sigmoid,
    "tanh": nt.Tanh,
    "relu": nt.ReLU,
    "elu": nt.ELU,
    "gelu": nt.GELU,
    "hardtanh": nt.Hardtanh,
    "leaky_relu": nt.LeakyReLU,
    "relu6": nt.ReLU6,
    "selu": nt.SELU,
    "silu": nt.SiLU,
    "softplus": nt.Softplus,
}

STOCHASTIC = ("sgd", "adam", "adamw")

_COUNT = Interval(Integral, 1, None, closed="left")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")
_SHARE = Interval(Real, 0, 1, closed="left")

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", _COUNT],
    "activation": [StrOptions(set(ACTIVATIONS))],
    "solver": [StrOptions({"lbfgs", *STOCHASTIC})],
    "alpha": [_NOT_NEGATIVE],
    "batch_size": [StrOptions({"auto"}), _COUNT],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [_POSITIVE],
    "power_t": [_NOT_NEGATIVE],
    "max_iter": [_COUNT],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [_NOT_NEGATIVE],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [_SHARE],
    "beta_1": [_SHARE],
    "beta_2": [_SHARE],
    "epsilon": [_POSITIVE],
    "n_iter_no_change": [_COUNT, Options(Real, {np.inf})],
    "max_fun": [_COUNT],
    "dropout": [_SHARE],
    "normalization": [StrOptions({"layer", "batch"}), None],
    "callbacks": ["array-like", None],
}
"""In the words of scikit-learn's own checks, so that its messages are the ones that users know."""


def keep_arguments(estimator: Any, arguments: dict[str, Any]) -> None:
    """Make attributes of a constructor's ``locals()``, as they are: nothing is checked before ``fit``."""
    for name, value in arguments.items():
        if name not in ("self", "__class__"):
            setattr(estimator, name, value)


def hidden_sizes(value: Any) -> list[int]:
    """Return the widths of the hidden layers; ValueError where one is below 1."""
    sizes = list(value) if isinstance(value, Iterable) else [value]
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]
