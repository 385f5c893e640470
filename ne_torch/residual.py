"""A connection around layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch.layer import StatesOf
from ne_torch.sequential import Sequential, flatten
from ne_torch.typing import Array, ArrayLike

__all__ = ["Residual"]


class Residual(Sequential):
    """``y = x + f(x)``, f being layers applied one after the other; in every other respect a Sequential.

    Its parameters have the names that this class of torch gives them::

        class Residual(torch.nn.Sequential):
            def forward(self, x):
                return x + super().forward(x)

    (He, Zhang, Ren, Sun, CVPR 2016.)

    Parameters
    ----------
    *layers : Layer
        Their output must have the shape of their input.

    Raises
    ------
    TypeError
        If an element lacks forward or backward.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> block = nt.Residual(nt.Linear(2, 2, rng=0), nt.ReLU())
    >>> x = -np.ones((1, 2), dtype="float32")
    >>> bool((block(x) == x + block[1](block[0](x))).all()), list(block.state_dict())
    (True, ['0.weight', '0.bias'])
    """

    def forward(self, x: ArrayLike) -> Array:
        """Return x + f(x).

        Raises
        ------
        ValueError
            If f(x) has another shape than x.
        """
        x = _core.as_array(x, "Residual", "input", None)
        y = super().forward(x)
        if y.shape != x.shape:
            raise ValueError(
                f"Residual: expected layers whose output has the shape of their input, {x.shape}, "
                f"got {y.shape}"
            )
        return _sum(x, y)

    def backward(self, grad_output: ArrayLike) -> Array:
        """Run the backward passes from the last layer to the first; return grad_output + their gradient."""
        grad_output = _core.as_array(grad_output, "Residual", "grad_output", None)
        return _sum(grad_output, super().backward(grad_output))

    def _stage(self, states: StatesOf) -> tuple[Any, ...] | None:
        from ne_torch._engine import describe

        stages = describe((inner for layer in self for inner in flatten(layer)), states, first=False)
        return None if stages is None else ("residual", tuple(stages))

    def __repr__(self) -> str:
        return "Residual" + super().__repr__().removeprefix("Sequential")


def _sum(a: Array, b: Array) -> Array:
    with np.errstate(all="ignore"):  # infinities and NaN go their way in silence, as in every layer
        total: Array = a + b
    return total
