"""Piecewise linear activations."""

from __future__ import annotations

from typing import Any

from ne_torch.activations.activation import Activation

__all__ = ["Hardtanh", "Identity", "LeakyReLU", "ReLU", "ReLU6"]


class Identity(Activation):
    """``y = x``, for places where a layer is optional; costs nothing in training and in a frozen model.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.Identity()(np.array([-1.0, 2.0])).tolist()
    [-1.0, 2.0]
    """

    name = "identity"

    def __init__(self) -> None:
        super().__init__()


class ReLU(Activation):
    """The rectifier ``y = max(0, x)``, element by element; its gradient is 1 where x > 0, else 0.

    NaN stays NaN in the forward pass and lets the gradient through in the backward pass, as in torch.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.ReLU()(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    name = "relu"

    def __init__(self) -> None:
        super().__init__()


class LeakyReLU(Activation):
    """``y = x where x > 0, else negative_slope * x``.

    Parameters
    ----------
    negative_slope : float, default 0.01

    Raises
    ------
    TypeError, ValueError
        If it is no finite number.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.LeakyReLU(0.5)(np.array([-1.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    name = "leaky_relu"

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__(negative_slope=negative_slope)


class Hardtanh(Activation):
    """``y = min(max(x, min_val), max_val)``; its gradient is 1 where min_val < x < max_val, else 0.

    Parameters
    ----------
    min_val : float, default -1.0
    max_val : float, default 1.0

    Raises
    ------
    TypeError, ValueError
        If one is no finite number, or max_val is not above min_val.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.Hardtanh()(np.array([-3.0, 0.5, 2.0])).tolist()
    [-1.0, 0.5, 1.0]
    """

    name = "hardtanh"

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__(min_val=min_val, max_val=max_val)
        low, high = self.numbers
        if not low < high:
            raise ValueError(f"Hardtanh: expected min_val below max_val, got {min_val!r} and {max_val!r}")


class ReLU6(Hardtanh):
    """``y = min(max(x, 0), 6)``.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.ReLU6()(np.array([-1.0, 2.0, 9.0])).tolist()
    [0.0, 2.0, 6.0]
    """

    def __init__(self) -> None:
        super().__init__(0.0, 6.0)

    def _arguments(self) -> dict[str, Any]:
        return {}

    def __repr__(self) -> str:
        return "ReLU6()"
