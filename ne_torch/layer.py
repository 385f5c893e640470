"""What a layer is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from ne_torch import _core
from ne_torch.parameter import Parameter, StatesOf
from ne_torch.typing import Array, ArrayLike

if TYPE_CHECKING:
    from ne_torch._summary import Summary
    from ne_torch.serving import Predictor

__all__ = ["Layer", "Parameter", "StatesOf"]

_Self = TypeVar("_Self", bound="Layer")
_Saved = TypeVar("_Saved")


class Layer:
    """Base of all layers: ``forward`` and ``backward``, and whatever is learned in between.

    A layer of your own needs those two methods; ``Sequential`` and ``Trainer`` take it as any other.
    A layer keeps what backward needs from its last forward pass, so it serves one thread at a time; copies
    and pickles leave that behind.

    Attributes
    ----------
    training : bool, default True
        Whether ``forward`` is part of training: dropout drops, batch normalisation takes the batch's own
        statistics. ``train`` and ``eval`` change it; ``Trainer`` sees to it by itself.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> class Square(nt.Layer):
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x**2
    ...     def backward(self, grad_output):
    ...         return 2 * self.x * grad_output
    >>> nt.Sequential(nt.ReLU(), Square())(np.array([-1.0, 3.0])).tolist()
    [0.0, 9.0]
    """

    training: bool = True

    def forward(self, x: ArrayLike) -> Array:
        """Return the output for x."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, grad_output: ArrayLike) -> Array:
        """Return the gradient with respect to the last input, given the one with respect to its output."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def _kept(self, saved: _Saved | None) -> _Saved:
        """Return what forward has kept for backward; RuntimeError where there was no forward pass."""
        if saved is None:
            place = type(self).__name__
            raise RuntimeError(f"{place}: expected forward before backward; call forward(x) first")
        return saved

    def __call__(self, x: ArrayLike) -> Array:
        """Return ``forward(x)``."""
        return self.forward(x)

    def train(self: _Self, mode: bool = True) -> _Self:
        """Choose training (True) or evaluation for this layer and those in it; return the layer."""
        self.training = bool(mode)
        for layer in self._inner().values():
            if hasattr(layer, "train"):
                layer.train(mode)
        return self

    def eval(self: _Self) -> _Self:
        """Return ``train(False)``."""
        return self.train(False)

    def _inner(self) -> dict[str, Any]:
        """Return the layers that this one is made of, by the first part of their parameters' names."""
        return {}

    def named_parameters(self) -> dict[str, Parameter]:
        """Return what is learned, by name: that of an inner layer under ``"<layer>.<name>"``, as in torch."""
        return {
            f"{prefix}.{name}": parameter
            for prefix, layer in self._inner().items()
            for name, parameter in getattr(layer, "named_parameters", dict)().items()
        }

    def named_buffers(self, persistent_only: bool = False) -> dict[str, Array]:
        """Return the arrays that a layer keeps but does not learn, by name; they are live.

        Those that are not persistent, such as the place of a dropout's stream, are no part of
        ``state_dict``; ``Trainer.save`` keeps them all.
        """
        return {
            f"{prefix}.{name}": array
            for prefix, layer in self._inner().items()
            if hasattr(layer, "named_buffers")
            for name, array in layer.named_buffers(persistent_only).items()
        }

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

    def _arguments(self) -> dict[str, Any]:
        """Return what the constructor was given, seeds left out, by names that torch's class has as well."""
        raise NotImplementedError(f"{type(self).__name__} does not tell its arguments")

    def __getstate__(self) -> dict[str, Any]:
        # A copy starts with its parameters, not with what a forward pass has kept of its input, which may be
        # anything that NumPy can view, and large.
        state: dict[str, Any] = self.__dict__
        kept = ("_input", "_output", "_saved")
        return {name: None if name in kept else value for name, value in state.items()}

    def summary(self) -> Summary:
        """Return a table of the layers, how many outputs each has, and what it learns.

        The table is a string: it shows itself at the prompt and in a notebook, a script prints it. Its
        attributes ``parameters`` and ``nbytes`` are the totals. An output is ``?`` where a layer of your own
        has no ``out_features`` to tell it.

        Examples
        --------
        >>> import ne_torch as nt
        >>> nt.Sequential(nt.Linear(784, 128), nt.ReLU(), nt.Linear(128, 10)).summary()
        layer       output  parameters
        ------------------------------
        Sequential      10
        0: Linear      128     100,480
        1: ReLU        128
        2: Linear       10       1,290
        ------------------------------
        total                  101,770  (397.5 KiB)
        """
        from ne_torch._summary import summarize

        return summarize(self)

    def _repr_html_(self) -> str:
        # What a notebook shows of a model at the end of a cell; a terminal shows its repr.
        from ne_torch._summary import as_html

        return as_html(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file, all of it or nothing; ``ne_torch.load`` makes it again.

        The file is safetensors: weights and persistent buffers under the names of ``state_dict``, for any
        reader of that format, and the layers with their arguments in its header.

        Raises
        ------
        TypeError
            If a layer is not one of this package.
        ValueError
            If a layer stands in two places.
        OSError
            If the file cannot be written; one that was there is as it was.
        ImportError
            If safetensors is missing (extra ``files``).
        """
        from ne_torch.interchange.model_file import save

        save(self, path)

    def freeze(self, weights: str = "same") -> Predictor:
        """Return the forward pass alone: immutable, packed for it, safe from many threads.

        Parameters
        ----------
        weights : {"same", "bfloat16", "int8"}, default "same"
            How the weights are kept. ``"same"`` gives ``forward``'s results to the bit. The others round them
            once (bfloat16 to 8 significant bits, int8 to multiples of a scale for each output) and take half
            or a quarter of the memory; the arithmetic stays float32, and so do the tables of a
            ``TabularEmbedding``.

        Raises
        ------
        TypeError
            If a layer is not one of this package, or reduced weights are asked of a float64 model.
        ValueError
            If there is no ``Linear``, a width does not fit the one before, or a layer is before a
            ``TabularEmbedding``.
        """
        from ne_torch.serving.freeze import freeze

        return freeze(self, weights)

    def _state(self) -> dict[str, Array]:
        """Return parameters and persistent buffers, layer by layer as in torch."""
        parameters = {name: parameter.data for name, parameter in self.named_parameters().items()}
        arrays = {**parameters, **self.named_buffers(persistent_only=True)}
        owners = list(dict.fromkeys(name.rpartition(".")[0] for name in arrays))
        return dict(sorted(arrays.items(), key=lambda item: owners.index(item[0].rpartition(".")[0])))

    def state_dict(self) -> dict[str, Array]:
        """Return a copy of all parameters and persistent buffers by name; the names are torch's."""
        return {name: array.copy() for name, array in self._state().items()}

    def load_state_dict(self, state_dict: dict[str, ArrayLike]) -> None:
        """Copy values into parameters and persistent buffers, in place.

        Parameters
        ----------
        state_dict : dict
            Arrays or CPU tensors of the right shapes under exactly the names of ``state_dict``.

        Raises
        ------
        ValueError
            If a name is missing or unknown, or a shape differs. Nothing has been changed then.
        TypeError
            If a value is not of the kind (floating, integer) of what it is for.
        """
        place = f"{type(self).__name__}.load_state_dict"
        if not hasattr(state_dict, "keys"):
            raise TypeError(f"{place}: expected a dict of arrays, got {type(state_dict).__name__}")
        state = self._state()
        missing, unknown = state.keys() - state_dict.keys(), state_dict.keys() - state.keys()
        if missing or unknown:
            raise ValueError(
                f"{place}: expected the keys {sorted(state)}; missing: {sorted(missing)}, "
                f"unknown: {sorted(unknown)}"
            )
        loaded = {name: _loadable(state_dict[name], array, place, name) for name, array in state.items()}
        for name, array in state.items():
            array[...] = loaded[name]


def _loadable(value: ArrayLike, like: Array, place: str, name: str) -> Array:
    """Return a copy of value that may be assigned to an array; ValueError or TypeError otherwise."""
    value = _core.numpy_view(value, place, name)
    if value.shape != like.shape:
        raise ValueError(f"{place}: expected {name} of shape {like.shape}, got {value.shape}")
    kinds, words = ("f", "a floating") if like.dtype.kind == "f" else ("iu", "an integer")
    if value.dtype.kind not in kinds:
        raise TypeError(f"{place}: expected {name} of {words} dtype, got {value.dtype}")
    if not like.flags.writeable:
        raise ValueError(f"{place}: expected {name} to be writable, got a read-only array")
    copy: Array = value.astype(like.dtype)
    return copy


def descend(parameters: list[Parameter], learning_rate: float, place: str) -> None:
    """Plain SGD on parameters that all have gradients; nothing has been changed where it fails."""
    rate = _core.finite_number(learning_rate, f"{place}.step", "learning_rate")
    grads = [parameter.grad for parameter in parameters]
    if any(grad is None for grad in grads):
        raise RuntimeError(f"{place}: expected backward before step; call backward(grad_output) first")
    data = [parameter.data for parameter in parameters]
    settings = _core.OptimizerSettings("sgd", {"lr": rate})
    _core.update(data, grads, [()] * len(data), [settings], [0] * len(data), f"{place}.step")
