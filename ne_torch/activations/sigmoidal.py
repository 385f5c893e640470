"""Sigmoid, tanh, and what they gate, by functions of the project's own: see docs/reproducibility.md."""

from __future__ import annotations

from typing import Any

from ne_torch.activations.activation import Activation

__all__ = ["GELU", "SiLU", "Sigmoid", "Tanh"]


class Sigmoid(Activation):
    """``y = 1 / (1 + exp(-x))``; its gradient is computed from the output, ``y * (1 - y)``.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.Sigmoid()(np.array([-np.inf, 0.0, np.inf])).tolist()
    [0.0, 0.5, 1.0]
    """

    name = "sigmoid"

    def __init__(self) -> None:
        super().__init__()


class Tanh(Activation):
    """``y = tanh(x)``, within 2.5 units in the last place; its gradient is ``1 - y^2``, from the output.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.Tanh()(np.array([-np.inf, 0.0, np.inf])).tolist()
    [-1.0, 0.0, 1.0]
    """

    name = "tanh"

    def __init__(self) -> None:
        super().__init__()


class SiLU(Activation):
    """``y = x * sigmoid(x)``, also called swish (Elfwing et al., 2017).

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.SiLU()(np.array([0.0, 100.0])).tolist()
    [0.0, 100.0]
    """

    name = "silu"

    def __init__(self) -> None:
        super().__init__()


class GELU(Activation):
    """``y = x * P(X <= x)`` for a standard normal X (Hendrycks and Gimpel, 2016).

    Parameters
    ----------
    approximate : {"none", "tanh"}, default "none"
        ``"none"`` is ``x / 2 * (1 + erf(x / sqrt(2)))``; ``"tanh"`` is
        ``x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))``.

    Raises
    ------
    ValueError
        If approximate is neither.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.GELU()(np.array([0.0, 100.0])).tolist()
    [0.0, 100.0]
    """

    def __init__(self, approximate: str = "none") -> None:
        names = {"none": "gelu", "tanh": "gelu_tanh"}
        if approximate not in names:
            raise ValueError(f"GELU: expected approximate to be 'none' or 'tanh', got {approximate!r}")
        super().__init__()
        self.approximate = approximate
        self.name = names[approximate]

    def _arguments(self) -> dict[str, Any]:
        return {"approximate": self.approximate}

    def __repr__(self) -> str:
        return f"GELU(approximate={self.approximate!r})"
