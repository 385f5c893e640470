"""Clipping of gradients, by their norm or element by element."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch.layer import Parameter
from ne_torch.optimizers.param_group import parameters as checked_parameters
from ne_torch.typing import Array

__all__ = ["Clipping", "clip_grad_norm_", "clip_grad_value_"]


def clip_grad_norm_(
    parameters: Parameter | Iterable[Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale gradients down, in place, so that the norm of all of them together is max_norm at most.

    ``grad = grad * c``, c = max_norm / (norm + 1e-6) where that is below 1, rounded to the dtype: as in
    torch.nn.utils.clip_grad_norm_. The 2-norm is the root of the sum, in float64, over parameters as they
    come, in each over rows, ascending, of the chain of squares along the row, the last axis.

    Parameters
    ----------
    parameters : iterable of Parameter, or one
        Those without a gradient are passed over.
    max_norm : float
        Infinity to have the norm alone.
    norm_type : {2, 1, inf}
    error_if_nonfinite : bool, default False
        Whether a norm that is infinite or NaN is an error; otherwise it makes the gradients 0 or NaN.

    Returns
    -------
    float
        The norm before.

    Raises
    ------
    RuntimeError
        If error_if_nonfinite, and the norm is not finite. No gradient has been changed then.
    ValueError
        If norm_type is another number.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> parameter = nt.Parameter(np.zeros(2))
    >>> parameter.grad = np.array([30.0, 40.0])
    >>> nt.clip_grad_norm_([parameter], max_norm=1.0)
    50.0
    >>> parameter.grad.round(6).tolist()
    [0.6, 0.8]
    """
    place = "clip_grad_norm_"
    grads = _gradients(parameters, place)
    limit = math.inf if max_norm == math.inf else _core.finite_number(max_norm, place, "max_norm")
    norm = _norm(grads, norm_type, place)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(
            f"{place}: expected gradients with a finite norm, got {norm}; pass error_if_nonfinite=False to "
            "scale them all the same"
        )
    factor = _factor(limit, norm)
    if factor != 1:
        with np.errstate(all="ignore"):  # what is not finite stays so
            for grad in grads:
                grad *= grad.dtype.type(factor)
    return norm


def clip_grad_value_(parameters: Parameter | Iterable[Parameter], clip_value: float) -> None:
    """Bring each element of the gradients into [-clip_value, clip_value], in place, as torch.nn.utils does.

    Parameters
    ----------
    parameters : iterable of Parameter, or one
        Those without a gradient are passed over.
    clip_value : float
        Not negative.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> parameter = nt.Parameter(np.zeros(2))
    >>> parameter.grad = np.array([0.25, -40.0])
    >>> nt.clip_grad_value_([parameter], 1.0)
    >>> parameter.grad.tolist()
    [0.25, -1.0]
    """
    place = "clip_grad_value_"
    limit = _core.finite_number(clip_value, place, "clip_value")
    if limit < 0:
        raise ValueError(f"{place}: expected clip_value >= 0, got {clip_value!r}")
    for grad in _gradients(parameters, place):
        bound = grad.dtype.type(limit)
        np.clip(grad, -bound, bound, out=grad)


@dataclass(frozen=True)
class Clipping:
    """How a trainer clips, by norm or by value; 0 where it does not."""

    norm: float = 0.0
    value: float = 0.0

    @classmethod
    def checked(cls, norm: Any, value: Any) -> Clipping:
        """Return what a user has asked for; an error where it cannot be."""
        if norm is not None and value is not None:
            raise ValueError("Trainer: expected clip_grad_norm or clip_grad_value, got both")
        given = {"clip_grad_norm": norm, "clip_grad_value": value}
        limits = [0.0 if limit is None else _limit(limit, name) for name, limit in given.items()]
        return cls(*limits)

    def clip(self, parameters: list[Parameter]) -> None:
        """Clip gradients as the engine does in its step."""
        if self.norm:
            clip_grad_norm_(parameters, self.norm)
        if self.value:
            clip_grad_value_(parameters, self.value)


def _limit(limit: Any, name: str) -> float:
    number = _core.finite_number(limit, "Trainer", name)
    info = np.finfo("float32")
    if not info.tiny <= number <= info.max:
        raise ValueError(f"Trainer: expected {name} above 0, of float32's range, got {limit!r}")
    return number


def _factor(max_norm: float, norm: float) -> float:
    factor = max_norm / (norm + 1e-6)
    return 1.0 if factor >= 1 else factor


def _gradients(parameters: Any, place: str) -> list[Array]:
    grads: list[Any] = [p.grad for p in checked_parameters(parameters, place) if p.grad is not None]
    for grad in grads:
        if not isinstance(grad, np.ndarray) or not grad.flags.writeable:
            kind = type(grad).__name__
            raise ValueError(f"{place}: expected gradients that are writable arrays, got {kind}")
    return grads


def _norm(grads: list[Array], norm_type: Any, place: str) -> float:
    if norm_type == 2:
        return math.sqrt(_core.square_sum(grads, place))
    widths = [grad.shape[-1] if grad.ndim else 1 for grad in grads]
    every = zip(grads, widths, strict=True)
    magnitudes = [np.abs(g, dtype="float64").reshape(-1, width) for g, width in every if g.size]
    if norm_type == math.inf:
        return float(max((rows.max() for rows in magnitudes), default=0.0, key=_nan_is_largest))
    if norm_type != 1:
        raise ValueError(f"{place}: expected norm_type 1, 2 or inf, got {norm_type!r}")
    total = 0.0
    for rows in magnitudes:  # in order, where NumPy's sum would take pairs
        for row in np.add.accumulate(rows, axis=1)[:, -1]:
            total += float(row)
    return total


def _nan_is_largest(value: float) -> tuple[bool, float]:
    return (math.isnan(value), value)
