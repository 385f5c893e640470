"""Gradients of a layer or loss against central differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ne_torch.random import Generator
from ne_torch.typing import Array, ArrayLike

__all__ = ["gradcheck"]

_EPS = float(np.finfo("float64").eps)
_STEP = _EPS ** (1 / 5)  # balances the h^4 that the extrapolated difference neglects with rounding, eps / h


def gradcheck(
    layer: Any,
    x: ArrayLike,
    target: ArrayLike | None = None,
    *,
    roundings: int | None = None,
    raise_exception: bool = True,
) -> bool:
    """Check ``backward`` against differences of ``forward``, for layers and losses of your own.

    f(x, parameters) = sum(r * forward(x)), r fixed random numbers, is differentiated by each element v of the
    input and of every parameter::

        d(h) = (f(v + h) - f(v - h)) / 2h         D = (4 d(h) - d(2h)) / 3         h = eps^(1/5) max(1, |v|)

    and D compared with ``backward(r)``, which may be off by abs(d(2h) - d(h)), the error of d without the
    extrapolation, and by what rounding may do to f: ``roundings * eps * sum(abs(r * forward(x))) / h``, taken
    at v + h or v - h.

    Parameters
    ----------
    layer : Layer
        Anything with ``forward(x)`` and ``backward(grad_output)``, and ``named_parameters`` if it learns. It
        is left as it was.
    x : array_like, float64
        Away from kinks, such as 0 for a ReLU; integers, such as those an embedding takes, have no gradient.
    target : array_like, optional
        Makes ``layer`` a loss, with ``forward(x, target)`` and ``backward()``.
    roundings : int, optional
        How many roundings an output goes through; by default 16 and four for each term of a sum along the
        longest axes of x and the parameters.
    raise_exception : bool, default True
        Whether to raise where the gradient is wrong, or to return False.

    Returns
    -------
    bool
        True where all elements agree.

    Raises
    ------
    AssertionError
        If one does not; names the first.
    ValueError
        If a gradient has another shape than what it is the gradient of, or two forward passes differ, as
        those of a dropout in train mode do.
    TypeError
        If x or a parameter is of another dtype than float64: differences need its digits.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> class Square(nt.Layer):
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x * x
    ...     def backward(self, grad_output):
    ...         return 3 * self.x * grad_output
    >>> nt.gradcheck(Square(), np.array([1.0, 2.0]), raise_exception=False)
    False
    >>> nt.gradcheck(nt.Linear(3, 2, dtype="float64"), np.ones((4, 3)))
    True
    """
    x = np.array(x)
    place = f"gradcheck: {type(layer).__name__}"
    parameters = layer.named_parameters() if hasattr(layer, "named_parameters") else {}
    variables = {name: parameter.data for name, parameter in parameters.items()}
    if x.dtype.kind not in "iu":
        variables = {"x": x, **variables}
    _require_float64(variables, place)
    with _left_as_it_was(layer, parameters):

        def forward() -> Array:
            return np.array(layer.forward(x) if target is None else layer.forward(x, target))

        value, again = forward(), forward()
        if not np.array_equal(value, again, equal_nan=True):
            raise ValueError(
                f"{place}: expected two forward passes to agree; make what is random a constant, or eval() it"
            )
        weight = Generator(0).normal(value.shape) if target is None else np.ones(value.shape)
        grad_input = np.array(layer.backward(weight) if target is None else layer.backward())
        gradients = {name: np.array(parameter.grad) for name, parameter in parameters.items()}
        gradients = {"x": grad_input, **gradients}
        if roundings is None:
            roundings = 16 + 4 * sum(max(array.shape, default=1) for array in (x, *variables.values()))

        def terms() -> Array:
            product: Array = weight * forward()
            return product

        for name, variable in variables.items():
            wrong = _first_wrong(variable, gradients[name], terms, roundings * _EPS, f"{place}: {name}")
            if wrong and raise_exception:
                raise AssertionError(wrong)
            if wrong:
                return False
    return True


def _first_wrong(
    variable: Array, gradient: Array, terms: Callable[[], Array], noise: float, place: str
) -> str | None:
    """Return what is wrong with the first element of a gradient that is."""
    if gradient.shape != variable.shape:
        raise ValueError(f"{place}: expected a gradient of shape {variable.shape}, got {gradient.shape}")
    for index in np.ndindex(variable.shape):
        h = _STEP * max(1.0, abs(float(variable[index])))
        near, size = _difference(variable, index, terms, h)
        far, _ = _difference(variable, index, terms, 2 * h)
        expected = (4 * near - far) / 3
        tolerance = abs(far - near) + noise * size / h
        if not abs(gradient[index] - expected) <= tolerance:
            return (
                f"{place}{list(index) if index else ''}: expected the gradient {expected:.10g}, within "
                f"{tolerance:.1e}, got {gradient[index]:.10g}"
            )
    return None


def _difference(
    variable: Array, index: tuple[int, ...], terms: Callable[[], Array], h: float
) -> tuple[float, float]:
    """Return the central difference of the sum of the terms, and the sum of their magnitudes."""
    before = variable[index]
    above, below = before + h, before - h
    try:
        variable[index] = above
        upper = terms()
        variable[index] = below
        lower = terms()
    finally:
        variable[index] = before
    size = float(np.maximum(np.abs(upper), np.abs(lower)).sum())
    return float((upper - lower).sum() / (above - below)), size


def _require_float64(variables: dict[str, Array], place: str) -> None:
    for name, variable in variables.items():
        if variable.dtype != np.dtype("float64"):
            raise TypeError(
                f'{place}: expected {name} of dtype float64, got {variable.dtype}; a cure is dtype="float64"'
            )


@contextmanager
def _left_as_it_was(layer: Any, parameters: dict[str, Any]) -> Iterator[None]:
    """Put gradients and buffers back."""
    grads = {name: parameter.grad for name, parameter in parameters.items()}
    buffers = layer.named_buffers() if hasattr(layer, "named_buffers") else {}
    before = {name: buffer.copy() for name, buffer in buffers.items()}
    try:
        for parameter in parameters.values():
            parameter.grad = None
        yield
    finally:
        for name, parameter in parameters.items():
            parameter.grad = grads[name]
        for name, buffer in buffers.items():
            buffer[...] = before[name]
