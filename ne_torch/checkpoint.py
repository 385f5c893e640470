"""Files of a trainer: safetensors, with a versioned header, written all or not at all.

Tensors: ``model.<name>`` for each parameter and buffer, ``<state>.<name>`` for what the optimizer remembers
of it, such as its ``velocity``, ``callback.<i>.<name>`` for what the i-th callback of ``fit`` keeps. The
header's ``state`` is JSON: the optimizer's class, its parameter groups with their hyperparameters and numbers
of steps, the loss with its options, the scheduler, and where ``fit`` stands. Any reader of safetensors reads
the weights; nothing in it is executed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ne_torch._files import read_safetensors, write_safetensors
from ne_torch.losses import Loss
from ne_torch.lr_scheduler import LRScheduler
from ne_torch.optimizers import Optimizer
from ne_torch.training.state import FitState
from ne_torch.typing import Array

if TYPE_CHECKING:
    from ne_torch.trainer import Trainer

__all__ = ["load_trainer", "save_trainer"]

_FORMAT = "ne_torch trainer"
_VERSION = "1"


def save_trainer(trainer: Trainer, state: FitState | None, path: str | os.PathLike[str]) -> None:
    """Write a trainer's parameters, its optimizer, and where its ``fit`` stands."""
    optimizer = _known(trainer, "Trainer.save")
    state_dict = {**trainer.model.state_dict(), **_passing_buffers(trainer.model)}
    tensors = {f"model.{name}": value for name, value in state_dict.items()}
    told = optimizer.state_dict()
    for kind in optimizer.state_names():
        for name, array in zip(_names(trainer, optimizer), told.pop(kind), strict=True):
            if array is not None:
                tensors[f"{kind}.{name}"] = array
    for i, arrays in ({} if state is None else state.kept).items():
        tensors |= {f"callback.{i}.{name}": array for name, array in arrays.items()}
    header = {
        "optimizer": {"class": type(optimizer).__name__, **told},
        "loss": _told_loss(trainer),
        "scheduler": _told(trainer.scheduler),
        "fit": None if state is None else state.as_dict(),
    }
    metadata = {"format": _FORMAT, "version": _VERSION, "state": json.dumps(header)}
    write_safetensors(path, tensors, metadata, "Trainer.save")


_DAMAGE = (TypeError, KeyError, AttributeError, OverflowError, RecursionError)


def load_trainer(trainer: Trainer, path: str | os.PathLike[str]) -> FitState | None:
    """Read such a file into a trainer, and return where its ``fit`` stands."""
    optimizer = _known(trainer, "Trainer.load")
    try:
        return _load(trainer, optimizer, path)
    except _DAMAGE as error:  # of a header that is no such header
        raise ValueError(f"Trainer.load: {os.fspath(path)!r} is damaged: {str(error)[:200]}") from None


def _load(trainer: Trainer, optimizer: Optimizer, path: str | os.PathLike[str]) -> FitState | None:
    try:
        tensors, metadata = read_safetensors(path, _FORMAT, _VERSION, "Trainer.load")
        header = json.loads(metadata["state"])
        state = None if header["fit"] is None else FitState.from_dict(header["fit"])
        kept = _kept(tensors)
        loss = header.get("loss")  # earlier versions did not tell
        told = {"class": "SGD", **header["optimizer"]}
        kind = told.pop("class")
        if "param_groups" not in told:  # files of earlier versions, which may lack options
            told = {"steps": 0, **({"dampening": 0.0, "maximize": False} if kind == "SGD" else {}), **told}
    except (ValueError, *_DAMAGE) as error:
        raise ValueError(f"Trainer.load: {os.fspath(path)!r} is no file of Trainer.save: {error}") from None
    names = _names(trainer, optimizer)
    weights = {name[len("model.") :]: t for name, t in tensors.items() if name.startswith("model.")}
    passing = _passing_buffers(trainer.model)
    for name, value in {**trainer.model.state_dict(), **passing}.items():
        if name in weights and weights[name].dtype != value.dtype:
            raise ValueError(
                f"Trainer.load: expected {name} of dtype {value.dtype}, got {weights[name].dtype}"
            )
    if kind != type(optimizer).__name__:
        raise ValueError(f"Trainer.load: expected the optimizer {kind}, got {type(optimizer).__name__}")
    if loss not in (None, _told_loss(trainer)):
        raise ValueError(f"Trainer.load: expected the loss {loss}, got {trainer.loss!r}")
    streams = {name: weights.pop(name) for name in passing if name in weights}
    for name, value in streams.items():
        if value.shape != passing[name].shape:
            raise ValueError(
                f"Trainer.load: expected {name} of shape {passing[name].shape}, got {value.shape}"
            )
    states = {state: [tensors.get(f"{state}.{name}") for name in names] for state in optimizer.state_names()}
    before = optimizer.state_dict()
    optimizer.load_state_dict({**told, **states})
    try:
        restore_scheduler = _scheduler_loader(trainer, header)
        trainer.model.load_state_dict(weights)
    except Exception:
        optimizer.load_state_dict(before)
        raise
    restore_scheduler()
    for name, value in streams.items():  # files of earlier versions have none
        passing[name][...] = value
    if state is not None:
        state.kept = kept
    return state


def _kept(tensors: dict[str, Array]) -> dict[int, dict[str, Array]]:
    """Return what callbacks have kept, as FitState has it."""
    kept: dict[int, dict[str, Array]] = {}
    for name, array in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "callback":
            index, _, inner = rest.partition(".")
            kept.setdefault(int(index), {})[inner] = array
    return kept


def _told(scheduler: LRScheduler | None) -> dict[str, Any] | None:
    return None if scheduler is None else {"class": type(scheduler).__name__, **scheduler.state_dict()}


def _scheduler_loader(trainer: Trainer, header: dict[str, Any]) -> Callable[[], object]:
    """Return what loads the scheduler, once it is certain that it can."""
    scheduler = trainer.scheduler
    if "scheduler" not in header:  # files of earlier versions
        return lambda: None
    told = dict(header["scheduler"] or {"class": "None"})
    kind, own = told.pop("class"), "None" if scheduler is None else type(scheduler).__name__
    if kind != own:
        raise ValueError(f"Trainer.load: expected the scheduler {kind}, got {own}")
    if scheduler is None:
        return lambda: None
    scheduler._require(told)
    return lambda: scheduler.load_state_dict(told)


def _passing_buffers(model: Any) -> dict[str, Array]:
    """Return the buffers that are no part of a model's state_dict."""
    if not hasattr(model, "named_buffers"):
        return {}
    persistent = model.named_buffers(persistent_only=True)
    return {name: array for name, array in model.named_buffers().items() if name not in persistent}


def _names(trainer: Trainer, optimizer: Optimizer) -> list[str]:
    names = {id(parameter): name for name, parameter in trainer.model.named_parameters().items()}
    return [names.get(id(parameter), f"parameter.{i}") for i, parameter in enumerate(optimizer.params)]


def _told_loss(trainer: Trainer) -> dict[str, Any] | None:
    if not isinstance(trainer.loss, Loss):
        return None
    return {"class": type(trainer.loss).__name__, **trainer.loss.options()}


def _known(trainer: Trainer, place: str) -> Optimizer:
    if not isinstance(trainer.optimizer, Optimizer):
        kind = type(trainer.optimizer).__name__
        raise TypeError(f"{place}: expected an optimizer of ne_torch, got {kind}")
    return trainer.optimizer
