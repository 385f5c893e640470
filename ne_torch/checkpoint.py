"""Files of a trainer: safetensors, with a versioned header, written all or not at all.

Tensors: ``model.<name>`` for each parameter, ``velocity.<name>`` where the optimizer has one. The header's
``state`` is JSON: the optimizer's hyperparameters and where ``fit`` stands. Any reader of safetensors reads
the weights; nothing in a file is executed.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ne_torch._files import write_atomically
from ne_torch._fit_state import FitState
from ne_torch.optimizers import SGD

if TYPE_CHECKING:
    from ne_torch.trainer import Trainer

__all__ = ["load_trainer", "save_trainer"]

_FORMAT = "ne_torch trainer"
_VERSION = "1"


def save_trainer(trainer: Trainer, state: FitState | None, path: str | os.PathLike[str]) -> None:
    """Write a trainer's parameters, its optimizer, and where its ``fit`` stands."""
    safetensors = _safetensors("Trainer.save")
    optimizer = _sgd(trainer, "Trainer.save")
    tensors = {f"model.{name}": value for name, value in trainer.model.state_dict().items()}
    for name, velocity in zip(_names(trainer, optimizer), optimizer.state_dict()["velocity"], strict=True):
        if velocity is not None:
            tensors[f"velocity.{name}"] = velocity
    header = {"optimizer": optimizer.options(), "fit": None if state is None else state.as_dict()}
    metadata = {"format": _FORMAT, "version": _VERSION, "state": json.dumps(header)}
    write_atomically(path, safetensors.numpy.save(tensors, metadata))


def load_trainer(trainer: Trainer, path: str | os.PathLike[str]) -> FitState | None:
    """Read such a file into a trainer, and return where its ``fit`` stands."""
    safetensors = _safetensors("Trainer.load")
    optimizer = _sgd(trainer, "Trainer.load")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        if metadata.get("format") != _FORMAT or metadata.get("version") != _VERSION:
            raise ValueError(f"expected {_FORMAT}, version {_VERSION}, got {metadata.get('format')!r}")
        header = json.loads(metadata["state"])
        state = None if header["fit"] is None else FitState.from_dict(header["fit"])
        options = dict(header["optimizer"])
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"Trainer.load: {os.fspath(path)!r} is no file of Trainer.save: {error}") from None
    names = _names(trainer, optimizer)
    weights = {name[len("model.") :]: t for name, t in tensors.items() if name.startswith("model.")}
    for name, value in trainer.model.state_dict().items():
        if name in weights and weights[name].dtype != value.dtype:
            raise ValueError(
                f"Trainer.load: expected {name} of dtype {value.dtype}, got {weights[name].dtype}"
            )
    velocity = [tensors.get(f"velocity.{name}") for name in names]
    before = optimizer.state_dict()
    optimizer.load_state_dict({**options, "velocity": velocity})
    try:
        trainer.model.load_state_dict(weights)
    except Exception:
        optimizer.load_state_dict(before)
        raise
    return state


def _names(trainer: Trainer, optimizer: SGD) -> list[str]:
    names = {id(parameter): name for name, parameter in trainer.model.named_parameters().items()}
    return [names.get(id(parameter), f"parameter.{i}") for i, parameter in enumerate(optimizer.params)]


def _sgd(trainer: Trainer, place: str) -> SGD:
    if not isinstance(trainer.optimizer, SGD):
        raise TypeError(f"{place}: expected an SGD optimizer, got {type(trainer.optimizer).__name__}")
    return trainer.optimizer


def _safetensors(place: str) -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise ImportError(f"{place}: needs safetensors; pip install 'ne_torch[files]'") from None
    return safetensors
