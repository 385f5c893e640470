"""Files of models: safetensors, with the architecture in a versioned header.

Tensors have the names of ``state_dict``: any reader of safetensors reads the weights. The header's
``architecture`` is JSON, see architecture.py; nothing in it is executed.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ne_torch._files import read_safetensors, write_safetensors
from ne_torch.interchange.architecture import build, describe
from ne_torch.layer import Layer

__all__ = ["load", "save"]

_FORMAT, _VERSION = "ne_torch model", "1"


def save(model: Layer, path: str | os.PathLike[str]) -> None:
    """Write a model, see ``Layer.save``."""
    metadata = {
        "format": _FORMAT,
        "version": _VERSION,
        "architecture": json.dumps(describe(model, "save")),
    }
    write_safetensors(path, model.state_dict(), metadata, "save")


def load(path: str | os.PathLike[str]) -> Any:
    """Return the model of a file of ``Layer.save``: its layers, weights, buffers and mode.

    Parameters
    ----------
    path : path-like
        Of the file.

    Raises
    ------
    ValueError
        If the file is no such file, or a damaged one.
    OSError
        If it cannot be opened.
    ImportError
        If safetensors is missing (extra ``files``).

    Examples
    --------
    >>> import os, tempfile, numpy as np, ne_torch as nt
    >>> model = nt.Sequential(nt.Linear(2, 3, rng=0), nt.Tanh())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     model.save(path)
    ...     again = nt.load(path)
    >>> again
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True, dtype=float32)
      (1): Tanh()
    )
    >>> bool((again[0].weight == model[0].weight).all())
    True
    """
    try:
        tensors, metadata = read_safetensors(path, _FORMAT, _VERSION, "load")
        described = json.loads(metadata["architecture"])
        model = build(described, sum(tensor.size for tensor in tensors.values()))
        for name, value in model.state_dict().items():
            if name in tensors and tensors[name].dtype != value.dtype:
                raise ValueError(f"expected {name} of dtype {value.dtype}, got {tensors[name].dtype}")
        model.load_state_dict(tensors)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"load: {os.fspath(path)!r} is no file of Layer.save, or damaged: {error}") from None
    return model
