"""A chain of layers."""

from __future__ import annotations

from collections.abc import Iterable, MutableSequence
from typing import Any, overload

from ne_torch import _core
from ne_torch.layer import Layer, descend
from ne_torch.typing import Array, ArrayLike

__all__ = ["Sequential", "flatten"]


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
        """Run the backward passes from the last layer to the first; return the gradient of the input.

        Raises
        ------
        ValueError
            If a layer stands in two places.
        """
        layers = [inner for layer in self._layers for inner in flatten(layer)]
        if len({id(layer) for layer in layers}) < len(layers):
            raise ValueError(
                "Sequential: expected every layer once, got one of them twice; a layer keeps one input for "
                "its backward pass, so give each place a layer of its own"
            )
        for layer in reversed(self._layers):
            grad_output = layer.backward(grad_output)
        return grad_output  # type: ignore[no-any-return]

    def step(self, learning_rate: float) -> None:
        """Descend along the gradients of the last backward pass, with all parameters or with none.

        A layer with a ``step`` of its own is asked to take it.
        """
        rate = _core.finite_number(learning_rate, "Sequential.step", "learning_rate")
        stepping = [layer for layer in self._layers if _steps_itself(layer)]
        parameters = [
            parameter
            for layer in self._layers
            if layer not in stepping
            for parameter in getattr(layer, "named_parameters", dict)().values()
        ]
        descend(parameters, rate, "Sequential")
        for layer in stepping:
            layer.step(rate)

    def _inner(self) -> dict[str, Any]:
        return {str(index): layer for index, layer in enumerate(self._layers)}

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
        layers = self._layers.copy()
        layers[index] = value
        self._layers = list(Sequential(*layers))
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


def _steps_itself(layer: Any) -> bool:
    return hasattr(layer, "step") and getattr(type(layer), "step", None) not in (Layer.step, Sequential.step)


def flatten(layer: Any) -> list[Any]:
    """Return the layers that a layer is made of; a subclass of Sequential may be more than its layers."""
    return [inner for part in layer for inner in flatten(part)] if type(layer) is Sequential else [layer]


def _checked(layer: Any) -> Any:
    complete = callable(getattr(layer, "forward", None)) and callable(getattr(layer, "backward", None))
    if isinstance(layer, type) or not complete:
        raise TypeError(f"Sequential: expected layers with forward and backward, got {layer!r}")
    return layer
