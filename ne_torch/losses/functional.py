"""Losses and their gradients as functions of plain arrays; part of ne_torch.functional.

``<loss>_forward(prediction, target, *, sample_weight=None, **options)`` returns the loss of the class with
those options, ``reduction`` included; ``<loss>_backward``, which takes ``grad_output`` and ``out`` as well,
its gradient with respect to the prediction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ne_torch import _core
from ne_torch.losses.absolute import L1Loss
from ne_torch.losses.binary_cross_entropy import BCEWithLogitsLoss
from ne_torch.losses.cross_entropy import CrossEntropyLoss
from ne_torch.losses.huber import HuberLoss, SmoothL1Loss
from ne_torch.losses.likelihood import NLLLoss
from ne_torch.losses.loss import Loss
from ne_torch.losses.poisson import PoissonNLLLoss
from ne_torch.losses.quantile import QuantileLoss
from ne_torch.losses.squared import MSELoss
from ne_torch.typing import Array, ArrayLike

__all__ = [
    "bce_with_logits_backward",
    "bce_with_logits_forward",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "huber_backward",
    "huber_forward",
    "l1_backward",
    "l1_forward",
    "mse_backward",
    "mse_forward",
    "nll_backward",
    "nll_forward",
    "poisson_nll_backward",
    "poisson_nll_forward",
    "quantile_backward",
    "quantile_forward",
    "smooth_l1_backward",
    "smooth_l1_forward",
]


def _functions(name: str, kind: type[Loss]) -> tuple[Callable[..., Any], Callable[..., Array]]:
    plain = kind()._settings

    def forward(
        prediction: ArrayLike, target: ArrayLike, *, sample_weight: ArrayLike | None = None, **options: Any
    ) -> Any:
        settings = kind(**options)._settings if options else plain
        return _core.loss_forward(settings, prediction, target, sample_weight, forward.__name__)

    def backward(
        prediction: ArrayLike,
        target: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        grad_output: ArrayLike | None = None,
        out: Array | None = None,
        **options: Any,
    ) -> Array:
        settings = kind(**options)._settings if options else plain
        place = backward.__name__
        return _core.loss_backward(settings, prediction, target, sample_weight, grad_output, out, place)

    operands = "[[0.0, 2.0], [1.0, 0.5]], " + ("[1, 0]" if kind.takes_classes else "[[1.0, 1.0], [0.0, 1.0]]")
    forward.__doc__ = f"""Return the loss of ``{kind.__name__}(**options)``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.{name}_forward({operands}) == nt.{kind.__name__}()({operands})
    True
    """
    backward.__doc__ = f"""Return the gradient of ``{name}_forward`` with respect to the prediction.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.functional.{name}_backward({operands}).shape
    (2, 2)
    """
    for function, way in ((forward, "forward"), (backward, "backward")):
        function.__name__ = function.__qualname__ = f"{name}_{way}"
        function.__module__ = "ne_torch.functional"
    return forward, backward


mse_forward, mse_backward = _functions("mse", MSELoss)
l1_forward, l1_backward = _functions("l1", L1Loss)
huber_forward, huber_backward = _functions("huber", HuberLoss)
smooth_l1_forward, smooth_l1_backward = _functions("smooth_l1", SmoothL1Loss)
quantile_forward, quantile_backward = _functions("quantile", QuantileLoss)
bce_with_logits_forward, bce_with_logits_backward = _functions("bce_with_logits", BCEWithLogitsLoss)
poisson_nll_forward, poisson_nll_backward = _functions("poisson_nll", PoissonNLLLoss)
cross_entropy_forward, cross_entropy_backward = _functions("cross_entropy", CrossEntropyLoss)
nll_forward, nll_backward = _functions("nll", NLLLoss)
