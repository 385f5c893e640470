"""What a layer is, and what it learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ne_torch import _core
from ne_torch.typing import Array, ArrayLike

if TYPE_CHECKING:
    from ne_torch.serving import Predictor

__all__ = ["Layer", "Parameter", "StatesOf"]

StatesOf = Callable[["Parameter"], tuple[Array | None, ...]]


class Parameter:
    """An array that is learned, with the gradient of the last backward pass.

    The array stays the same object for life: ``step`` and optimizers update it in place.

    Attributes
    ----------
    grad : ndarray or None
        The gradient, overwritten by each backward pass; None before the first.
    """

    __slots__ = ("_data", "grad")

    def __init__(self, data: Array) -> None:
        self._data = data
        self.grad: Array | None = None

    @property
    def data(self) -> Array:
        """The values; an assignment copies into them."""
        return self._data

    @data.setter
    def data(self, value: ArrayLike) -> None:
        self._data[...] = value

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        shape: tuple[int, ...] = self.data.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the values."""
        return self.data.dtype

    @property
    def size(self) -> int:
        """The number of values."""
        return self.data.size

    def __repr__(self) -> str:
        return f"Parameter(shape={self.shape}, dtype={self.dtype})"


class Layer:
    """Base of all layers: ``forward`` and ``backward``, and whatever is learned in between.

    A layer of your own needs those two methods; ``Sequential`` and ``Trainer`` take it as any other.
    A layer keeps what backward needs from its last forward pass, so it serves one thread at a time; copies
    and pickles leave that behind.
    """

    def forward(self, x: ArrayLike) -> Array:
        """Return the output for x."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, grad_output: ArrayLike) -> Array:
        """Return the gradient with respect to the last input, given the one with respect to its output."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def __call__(self, x: ArrayLike) -> Array:
        """Return ``forward(x)``."""
        return self.forward(x)

    def named_parameters(self) -> dict[str, Parameter]:
        """Return what is learned, by name."""
        return {}

    def parameters(self) -> list[Parameter]:
        """Return what is learned, in the order of ``named_parameters``."""
        return list(self.named_parameters().values())

    def step(self, learning_rate: float) -> None:
        """Descend: ``parameter = parameter - learning_rate * gradient``, for all parameters or for none.

        Raises
        ------
        RuntimeError
            If there was no backward pass.
        TypeError, ValueError
            If learning_rate is no finite number.
        """
        descend(self.parameters(), learning_rate, type(self).__name__)

    def _stage(self, states: StatesOf) -> tuple[Any, ...] | None:  # noqa: ARG002 - for the layers that learn
        """Describe this layer to the engine, see csrc/bindings/bind_training.cpp; None if it cannot do it.

        ``states`` gives what the optimizer remembers of a parameter.
        """
        return None

    def __getstate__(self) -> dict[str, Any]:
        # A copy starts with its parameters, not with what a forward pass has kept of its input, which may be
        # anything that NumPy can view, and large.
        state: dict[str, Any] = self.__dict__
        return {name: None if name in ("_input", "_output") else value for name, value in state.items()}

    def freeze(self, weights: str = "same") -> Predictor:
        """Return the forward pass alone: immutable, packed for it, safe from many threads.

        Parameters
        ----------
        weights : {"same", "bfloat16", "int8"}, default "same"
            How the weights are kept. ``"same"`` gives ``forward``'s results to the bit. The others round them
            once (bfloat16 to 8 significant bits, int8 to multiples of a scale for each output) and take half
            or a quarter of the memory; the arithmetic stays float32.

        Raises
        ------
        TypeError
            If a layer is not one of this package, or reduced weights are asked of a float64 model.
        ValueError
            If there is no ``Linear``, or a width does not fit the one before.
        """
        from ne_torch.serving.freeze import freeze

        return freeze(self, weights)

    def state_dict(self) -> dict[str, Array]:
        """Return a copy of all parameters by name; the names are torch's."""
        return {name: parameter.data.copy() for name, parameter in self.named_parameters().items()}

    def load_state_dict(self, state_dict: dict[str, ArrayLike]) -> None:
        """Copy values into the parameters, in place.

        Parameters
        ----------
        state_dict : dict
            Arrays or CPU tensors of the right shapes under exactly the names of ``state_dict``.

        Raises
        ------
        ValueError
            If a name is missing or unknown, or a shape differs. Nothing has been changed then.
        """
        place = f"{type(self).__name__}.load_state_dict"
        if not hasattr(state_dict, "keys"):
            raise TypeError(f"{place}: expected a dict of arrays, got {type(state_dict).__name__}")
        parameters = self.named_parameters()
        missing, unknown = parameters.keys() - state_dict.keys(), state_dict.keys() - parameters.keys()
        if missing or unknown:
            raise ValueError(
                f"{place}: expected the keys {sorted(parameters)}; missing: {sorted(missing)}, "
                f"unknown: {sorted(unknown)}"
            )
        loaded = {}
        for name, parameter in parameters.items():
            value = np.asarray(state_dict[name])
            if value.shape != parameter.shape:
                raise ValueError(f"{place}: expected {name} of shape {parameter.shape}, got {value.shape}")
            if value.dtype.kind != "f":
                raise TypeError(f"{place}: expected {name} of a floating dtype, got {value.dtype}")
            loaded[name] = value.astype(parameter.dtype)
            if not parameter.data.flags.writeable:
                raise ValueError(f"{place}: expected {name} to be writable, got a read-only array")
        for name, parameter in parameters.items():
            parameter.data = loaded[name]


def descend(parameters: list[Parameter], learning_rate: float, place: str) -> None:
    """Plain SGD on parameters that all have gradients; nothing has been changed where it fails."""
    rate = _core.finite_number(learning_rate, f"{place}.step", "learning_rate")
    grads = [parameter.grad for parameter in parameters]
    if any(grad is None for grad in grads):
        raise RuntimeError(f"{place}: expected backward before step; call backward(grad_output) first")
    data = [parameter.data for parameter in parameters]
    _core.update(data, grads, [()] * len(data), _core.OptimizerSettings("sgd", {"lr": rate}), f"{place}.step")
