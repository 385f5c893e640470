"""Activations made of exponentials, by functions of the project's own: see docs/reproducibility.md."""

from __future__ import annotations

from ne_torch.activations.activation import Activation

__all__ = ["ELU", "SELU", "Softplus"]


class ELU(Activation):
    """``y = x where x > 0, else alpha * (exp(x) - 1)`` (Clevert et al., 2016).

    Parameters
    ----------
    alpha : float, default 1.0

    Raises
    ------
    TypeError, ValueError
        If it is no finite number.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.ELU()(np.array([-np.inf, 0.0, 2.0])).tolist()
    [-1.0, 0.0, 2.0]
    """

    name = "elu"

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__(alpha=alpha)


class SELU(Activation):
    """``y = scale * (x where x > 0, else alpha * (exp(x) - 1))`` (Klambauer et al., 2017).

    scale = 1.0507009873554805 and alpha = 1.6732632423543772 keep mean 0 and variance 1 from layer to layer.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.SELU()(np.array([0.0, 1.0])).tolist()
    [0.0, 1.0507009873554805]
    """

    name = "selu"

    def __init__(self) -> None:
        super().__init__()


class Softplus(Activation):
    """``y = log(1 + exp(beta * x)) / beta``, a smooth ReLU; x itself where beta * x > threshold.

    It is computed from exp(-|beta * x|), which never overflows.

    Parameters
    ----------
    beta : float, default 1.0
    threshold : float, default 20.0

    Raises
    ------
    TypeError, ValueError
        If one is no finite number, or beta is 0.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> nt.Softplus()(np.array([0.0, 100.0])).tolist()
    [0.6931471805599453, 100.0]
    """

    name = "softplus"

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__(beta=beta, threshold=threshold)
        if self.options["beta"] == 0:
            raise ValueError(f"Softplus: expected beta other than 0, got {beta!r}")
