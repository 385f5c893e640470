"""Initial values of parameters, in place, by the formulas of torch.nn.init.

Random numbers come from the project's own generator: the same seed gives the same weights on every platform,
but not those of torch. Each function fills and returns the Parameter or ndarray that it is given.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from ne_torch import _core
from ne_torch.layer import Parameter
from ne_torch.random import Generator, RandomLike, as_generator
from ne_torch.typing import Array

__all__ = [
    "calculate_gain",
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

Filled = TypeVar("Filled", Parameter, Array)

_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "selu": 0.75}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor by which initial weights make up for what a nonlinearity takes away.

    Parameters
    ----------
    nonlinearity : {"linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"}
    param : float, optional
        The negative slope of a leaky ReLU, 0.01 by default: the gain is sqrt(2 / (1 + slope^2)).

    Raises
    ------
    ValueError
        If the nonlinearity is none of these.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.init.calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else _core.finite_number(param, "calculate_gain", "param")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        known = (*_GAINS, "leaky_relu")
        raise ValueError(f"calculate_gain: expected nonlinearity to be one of {known}, got {nonlinearity!r}")
    return _GAINS[nonlinearity]


def uniform_(
    tensor: Filled, a: float = 0.0, b: float = 1.0, generator: RandomLike = None, *, rng: RandomLike = None
) -> Filled:
    """Fill with numbers uniform in [a, b); see ``Generator.uniform``.

    Parameters
    ----------
    tensor : Parameter or ndarray
        float32 or float64, of any strides.
    generator, rng : int, Generator, numpy.random.Generator or None
        Where the numbers come from, under torch's name or this package's; the same holds for all below.

    Raises
    ------
    TypeError
        If tensor is none of these, or both generator and rng are given.
    ValueError
        If tensor is read-only, or a is above b. Nothing has been written then.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> tensor = nt.init.uniform_(np.empty(9), 2.0, 3.0, rng=0)
    >>> bool(((tensor >= 2) & (tensor < 3)).all())
    True
    """
    array = _array(tensor, "uniform_")
    array[...] = _stream(generator, rng, "uniform_").uniform(array.shape, a, b, array.dtype.name)
    return tensor


def normal_(
    tensor: Filled,
    mean: float = 0.0,
    std: float = 1.0,
    generator: RandomLike = None,
    *,
    rng: RandomLike = None,
) -> Filled:
    """Fill with normal numbers, ``mean + std * z`` in float64, rounded; see ``Generator.normal``.

    Raises
    ------
    ValueError
        If std is negative. Nothing has been written then.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.init.normal_(np.empty(2), mean=1.0, std=0.0, rng=0).tolist()
    [1.0, 1.0]
    """
    array = _array(tensor, "normal_")
    mean, std = (_core.finite_number(v, "normal_", name) for v, name in ((mean, "mean"), (std, "std")))
    if std < 0:
        raise ValueError(f"normal_: expected std >= 0, got {std}")
    stream = _stream(generator, rng, "normal_")
    if mean == 0:
        array[...] = stream.normal(array.shape, std, array.dtype.name)
    else:
        array[...] = mean + stream.normal(array.shape, std, "float64")
    return tensor


def constant_(tensor: Filled, val: float) -> Filled:
    """Fill with one number.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.init.constant_(np.empty(2), 0.5).tolist()
    [0.5, 0.5]
    """
    array = _array(tensor, "constant_")
    array[...] = _core.finite_number(val, "constant_", "val")
    return tensor


def zeros_(tensor: Filled) -> Filled:
    """Fill with zeros.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.init.zeros_(np.empty(2)).tolist()
    [0.0, 0.0]
    """
    return constant_(tensor, 0.0)


def ones_(tensor: Filled) -> Filled:
    """Fill with ones.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.init.ones_(np.empty(2)).tolist()
    [1.0, 1.0]
    """
    return constant_(tensor, 1.0)


def xavier_uniform_(
    tensor: Filled, gain: float = 1.0, generator: RandomLike = None, *, rng: RandomLike = None
) -> Filled:
    """Fill with numbers uniform in [-a, a), a = gain sqrt(6 / (fan_in + fan_out)).

    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010.

    Parameters
    ----------
    tensor : Parameter or ndarray of shape (out_features, in_features)

    Raises
    ------
    ValueError
        If tensor has fewer than two axes.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> weight = nt.init.xavier_uniform_(np.empty((100, 50)), rng=0)
    >>> bool(abs(weight).max() <= (6 / 150) ** 0.5)
    True
    """
    bound = math.sqrt(3.0) * _xavier_deviation(tensor, gain, "xavier_uniform_")
    return uniform_(tensor, -bound, bound, generator, rng=rng)


def xavier_normal_(
    tensor: Filled, gain: float = 1.0, generator: RandomLike = None, *, rng: RandomLike = None
) -> Filled:
    """Fill with normal numbers of deviation gain sqrt(2 / (fan_in + fan_out)): the default of ``Linear``.

    Source, parameters and errors are those of ``xavier_uniform_``.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> weight = nt.init.xavier_normal_(np.empty((100, 300), "float32"), rng=0)
    >>> bool((weight == nt.Linear(300, 100, rng=0).weight).all())
    True
    """
    deviation = _xavier_deviation(tensor, gain, "xavier_normal_")
    return normal_(tensor, 0.0, deviation, generator, rng=rng)


def kaiming_uniform_(
    tensor: Filled,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: RandomLike = None,
    *,
    rng: RandomLike = None,
) -> Filled:
    """Fill with numbers uniform in [-b, b), b = gain sqrt(3 / fan).

    K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", ICCV 2015.

    Parameters
    ----------
    tensor : Parameter or ndarray of shape (out_features, in_features)
    a : float, default 0
        The negative slope of the leaky ReLU that follows; see ``calculate_gain``.
    mode : {"fan_in", "fan_out"}
        Whether forward passes keep their variance, or backward passes.
    nonlinearity : str, default "leaky_relu"
        What follows the layer; see ``calculate_gain``.

    Raises
    ------
    ValueError
        If tensor has fewer than two axes, or mode or nonlinearity is unknown.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> weight = nt.init.kaiming_uniform_(np.empty((100, 50)), rng=0)
    >>> bool(abs(weight).max() <= (6 / 50) ** 0.5)
    True
    """
    bound = math.sqrt(3.0) * _kaiming_deviation(tensor, a, mode, nonlinearity, "kaiming_uniform_")
    return uniform_(tensor, -bound, bound, generator, rng=rng)


def kaiming_normal_(
    tensor: Filled,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: RandomLike = None,
    *,
    rng: RandomLike = None,
) -> Filled:
    """Fill with normal numbers of deviation gain / sqrt(fan).

    Source, parameters and errors are those of ``kaiming_uniform_``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> linear = nt.Linear(1000, 100)
    >>> weight = nt.init.kaiming_normal_(linear.weight, nonlinearity="relu", rng=0)
    >>> round(float(weight.std()), 3), round((2 / 1000) ** 0.5, 3)
    (0.045, 0.045)
    """
    deviation = _kaiming_deviation(tensor, a, mode, nonlinearity, "kaiming_normal_")
    return normal_(tensor, 0.0, deviation, generator, rng=rng)


def _xavier_deviation(tensor: Any, gain: float, place: str) -> float:
    fan_in, fan_out = _fans(_array(tensor, place), place)
    gain = _core.finite_number(gain, place, "gain")
    return gain * math.sqrt(2.0 / max(fan_in + fan_out, 1))  # no fan: there is nothing to fill


def _kaiming_deviation(tensor: Any, a: float, mode: str, nonlinearity: str, place: str) -> float:
    fan_in, fan_out = _fans(_array(tensor, place), place)
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'{place}: expected mode "fan_in" or "fan_out", got {mode!r}')
    fan = fan_in if mode == "fan_in" else fan_out
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def _fans(array: Array, place: str) -> tuple[int, int]:
    if array.ndim < 2:
        raise ValueError(
            f"{place}: expected a weight of shape (out_features, in_features), got {array.shape}"
        )
    field = math.prod(array.shape[2:])
    return array.shape[1] * field, array.shape[0] * field


def _array(tensor: Any, place: str) -> Array:
    array: Array = tensor.data if isinstance(tensor, Parameter) else tensor
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{place}: expected a Parameter or an ndarray, got {type(tensor).__name__}")
    if array.dtype.newbyteorder("=") not in (np.dtype("float32"), np.dtype("float64")):
        raise TypeError(f"{place}: expected an array of float32 or float64, got {array.dtype}")
    if not array.flags.writeable:
        raise ValueError(f"{place}: expected a writable array, got a read-only one of shape {array.shape}")
    return array


def _stream(generator: RandomLike, rng: RandomLike, place: str) -> Generator:
    if generator is not None and rng is not None:
        raise TypeError(f"{place}: expected generator or rng, two names of one thing, got both")
    return as_generator(rng if generator is None else generator)
