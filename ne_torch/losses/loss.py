"""What all losses have in common."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import numpy as np

from ne_torch import _core
from ne_torch.losses.options import Option, checked_reduction
from ne_torch.typing import Array, ArrayLike

__all__ = ["Loss"]


class Loss:
    """Base of losses: a name in csrc/core/names.hpp, whose kernels do the work.

    A class of its own names that, and its options as attributes of the kinds in options.py.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> loss = nt.MSELoss(reduction="sum")
    >>> isinstance(loss, nt.losses.Loss), loss(np.zeros(2), np.ones(2)), loss.backward()
    (True, 2.0, array([-2., -2.]))
    """

    _kind: ClassVar[str]
    takes_classes: ClassVar[bool] = False
    """Whether a target may be the class of each sample, as an integer."""

    def __init__(self, reduction: str = "mean", **options: Any) -> None:
        place = type(self).__name__
        checked = {name: getattr(type(self), name).checked(value, place) for name, value in options.items()}
        self._settings = _core.LossSettings(self._kind, checked_reduction(reduction, place), checked)
        self._operands: tuple[ArrayLike, ArrayLike, ArrayLike | None] | None = None

    @property
    def reduction(self) -> str:
        """What becomes of the losses: "mean", "sum", or "none"."""
        return self._settings.reduction

    def options(self) -> dict[str, Any]:
        """Return what the loss was made with; arrays as lists."""
        values: dict[str, Any] = {"reduction": self.reduction}
        names = [name for name, value in vars(type(self)).items() if isinstance(value, Option)]
        values.update({name: getattr(self, name) for name in names})
        return {n: value.tolist() if isinstance(value, np.ndarray) else value for n, value in values.items()}

    def forward(
        self, prediction: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Return the loss.

        Parameters
        ----------
        prediction, target : array_like
            Of one shape and dtype: there is no broadcasting. Both are kept, not copied.
        sample_weight : array_like, optional
            A weight for each sample, so of the prediction's shape without its last axis, where that has two
            axes or more; one for each element, where it has one. The mean becomes that of the weighted
            samples, ``sum_b w_b l_b / sum_b w_b``; other reductions multiply.

        Returns
        -------
        float
            Or, where the reduction is "none", an array of the prediction's shape.

        Raises
        ------
        ValueError
            If the shapes do not fit, or a weight is negative or not finite.
        TypeError
            If the dtypes differ.
        """
        value = _core.loss_forward(self._settings, prediction, target, sample_weight, type(self).__name__)
        self._operands = (prediction, target, sample_weight)
        return value

    def backward(self, grad_output: ArrayLike | None = None) -> Array:
        """Return the gradient with respect to the prediction.

        Parameters
        ----------
        grad_output : number or array_like, optional
            The gradient with respect to what forward returned: a number, 1 by default; an array of its shape
            where the reduction is "none".

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        ValueError, TypeError
            If grad_output does not fit.
        """
        place = type(self).__name__
        if self._operands is None:
            raise RuntimeError(
                f"{place}: expected forward before backward; call forward(prediction, target) first"
            )
        return _core.loss_backward(self._settings, *self._operands, grad_output, None, place)

    def _total(
        self, prediction: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[float, float]:
        """Return the sum of all losses, and what the mean divides it by; backward knows nothing of it."""
        place = type(self).__name__
        return _core.loss_total(self._settings, prediction, target, sample_weight, place)

    def __call__(
        self, prediction: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Return ``forward(prediction, target, sample_weight)``."""
        return self.forward(prediction, target, sample_weight)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_operands": None}

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self)).parameters
        told = [
            f"{name}={value!r}"
            for name, value in self.options().items()
            if name not in parameters or value != parameters[name].default
        ]
        return f"{type(self).__name__}({', '.join(told)})"
