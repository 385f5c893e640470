"""A chain of layers."""

from __future__ import annotations

from collections.abc import Iterable, MutableSequence
from typing import Any, overload

from ne_torch import _core
from ne_torch.layer import Layer, Parameter
from ne_torch.typing import Array, ArrayLike

__all__ = ["Sequential"]


class Sequential(Layer, MutableSequence[Any]):
    """Layers applied one after the other; a list of them in every other respect.

    Parameters
    ----------
    *layers : Layer
        Anything with ``forward(x)`` and ``backward(grad_output)``.

    Raises
    ------
    TypeError
        If an element lacks one of the two.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> model = nt.Sequential(nt.Linear(4, 8, rng=0), nt.ReLU(), nt.Linear(8, 1, rng=1))
    >>> model(np.zeros((2, 4), dtype="float32")).shape
    (2, 1)
    >>> list(model.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *layers: Any) -> None:
        self._layers: list[Any] = [_checked(layer) for layer in layers]

    def forward(self, x: ArrayLike) -> Array:
        """Return the output of the last layer for x, an input of the first."""
        for layer in self._layers:
            x = layer.forward(x)
        return x  # type: ignore[no-any-return]

    def backward(self, grad_output: ArrayLike) -> Array:
        """Run the backward passes from the last layer to the first; return the gradient of the input."""
        for layer in reversed(self._layers):
            grad_output = layer.backward(grad_output)
        return grad_output  # type: ignore[no-any-return]

    def step(self, learning_rate: float) -> None:
        """Let every layer descend along the gradients of its last backward pass."""
        rate = _core.finite_number(learning_rate, "Sequential.step", "learning_rate")
        for layer in self._layers:
            if (step := getattr(layer, "step", None)) is not None:
                step(rate)

    def named_parameters(self) -> dict[str, Parameter]:
        """Return the parameters under torch's names: ``"<index>.<name>"``."""
        return {
            f"{index}.{name}": parameter
            for index, layer in enumerate(self._layers)
            if hasattr(layer, "named_parameters")
            for name, parameter in layer.named_parameters().items()
        }

    def insert(self, index: int, value: Any) -> None:
        """Insert a layer before the index."""
        self._layers.insert(index, _checked(value))
        _core.structure_changed()

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Sequential(*self._layers[index])
        return self._layers[index]

    @overload
    def __setitem__(self, index: int, value: Any) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[Any]) -> None: ...
    def __setitem__(self, index: int | slice, value: Any) -> None:
        if isinstance(index, slice):
            self._layers[index] = [_checked(layer) for layer in value]
        else:
            self._layers[index] = _checked(value)
        _core.structure_changed()

    def __delitem__(self, index: int | slice) -> None:
        del self._layers[index]
        _core.structure_changed()

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        lines = []
        for index, layer in enumerate(self._layers):
            inner = repr(layer).replace("\n", "\n  ")
            lines.append(f"  ({index}): {inner}\n")
        return "Sequential(" + ("\n" + "".join(lines) if lines else "") + ")"


def _checked(layer: Any) -> Any:
    for method in ("forward", "backward"):
        if not callable(getattr(layer, method, None)):
            raise TypeError(f"Sequential: expected layers with forward and backward, got {layer!r}")
    return layer
