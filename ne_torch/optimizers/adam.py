"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ne_torch.layer import Parameter
from ne_torch.optimizers.hyperparameter import Flag, Number
from ne_torch.optimizers.optimizer import Optimizer

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam, as in torch.optim.Adam (Kingma and Ba 2015; amsgrad: Reddi, Kale and Kumar 2018).

    For each parameter p with gradient g, in step t counted from 1::

        g = g + weight_decay * p
        m = m + (1 - beta1) * (g - m)                m and v start at 0
        v = beta2 * v + (1 - beta2) * g^2
        u = max(u, v) if amsgrad else v
        p = p - lr / (1 - beta1^t) * m / (sqrt(u) / sqrt(1 - beta2^t) + eps)

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        ``model.parameters()``, or groups of them with hyperparameters of their own; see ``Optimizer``.
    lr : float, default 0.001
    betas : pair of float, default (0.9, 0.999)
        How much of the running means of gradients and of their squares lasts from step to step.
    eps : float, default 1e-8
    weight_decay : float, default 0
    amsgrad : bool, default False
        Divide by the largest mean of squares so far.
    maximize : bool, default False
        Climb instead: g is the gradient's negative.
    decoupled_weight_decay : bool, default False
        Shrink p by ``1 - lr * weight_decay`` instead of adding to g: AdamW.

    Raises
    ------
    TypeError
        If params holds anything but Parameters, or a hyperparameter is no number.
    ValueError
        If params is empty, a hyperparameter is negative or not finite, or a beta is 1 or more.

    Notes
    -----
    The number t is the optimizer's: a parameter that had no gradient in some steps takes part in the count.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> parameter = nt.Parameter(np.ones(2))
    >>> parameter.grad = np.array([3.0, -0.1])
    >>> nt.Adam([parameter], lr=0.5).step()
    >>> parameter.data.round(6).tolist()
    [0.5, 1.5]
    """

    _kind = "adam"
    _option_names = (
        "lr",
        "beta1",
        "beta2",
        "eps",
        "weight_decay",
        "amsgrad",
        "maximize",
        "decoupled_weight_decay",
    )
    _state_names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    beta1 = Number("The share of the mean gradient that lasts from step to step.", below=1.0)
    beta2 = Number("The share of the mean squared gradient that lasts from step to step.", below=1.0)
    eps = Number("What keeps the divisor away from 0.")
    weight_decay = Number("The factor of the parameter in its decay.")
    amsgrad = Flag("Whether to divide by the largest mean of squares so far.")
    maximize = Flag("Whether to climb.")
    decoupled_weight_decay = Flag("Whether the parameter itself decays, not its gradient.")

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Mapping[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    @property
    def betas(self) -> tuple[float, float]:
        """The two shares that last from step to step."""
        return self.beta1, self.beta2

    @betas.setter
    def betas(self, value: tuple[float, float]) -> None:
        self.set_options(betas=value)

    @classmethod
    def _spelled_out(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(options)
        if "betas" in result:
            result["beta1"], result["beta2"] = _pair(result.pop("betas"), cls.__name__)
        return result

    @classmethod
    def _short_form(cls, name: str, options: Mapping[str, Any]) -> Any:
        if name != "betas":
            raise KeyError(name)
        return options["beta1"], options["beta2"]


class AdamW(Adam):
    """Adam with decoupled weight decay, as in torch.optim.AdamW (Loshchilov and Hutter 2019).

    ``p = p * (1 - lr * weight_decay)`` before the step of ``Adam``, whose gradient is left alone. Parameters
    and errors are those of ``Adam``, the default of weight_decay is 0.01.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> parameter = nt.Parameter(np.ones(2))
    >>> parameter.grad = np.zeros(2)
    >>> nt.AdamW([parameter], lr=0.5, weight_decay=0.5).step()
    >>> parameter.data.tolist()
    [0.75, 0.75]
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Mapping[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True
        )


def _pair(betas: Any, place: str) -> tuple[Any, Any]:
    try:
        beta1, beta2 = betas
    except (TypeError, ValueError):
        raise TypeError(f"{place}: expected betas as a pair of numbers, got {betas!r}") from None
    return beta1, beta2
