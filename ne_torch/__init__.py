"""Fully connected neural networks on the CPU: exact, fast, and the same bits everywhere.

Names are loaded when they are asked for: a process that serves a saved predictor starts without layers and
training.
"""

from typing import TYPE_CHECKING, Any

from ne_torch._core import __version__ as __version__

if TYPE_CHECKING:
    from ne_torch import callbacks as callbacks
    from ne_torch import data as data
    from ne_torch import datasets as datasets
    from ne_torch import functional as functional
    from ne_torch import init as init
    from ne_torch import losses as losses
    from ne_torch import lr_scheduler as lr_scheduler
    from ne_torch import metrics as metrics
    from ne_torch._public import *  # noqa: F403 - its exports are ours
    from ne_torch.interchange.model_file import load as load
    from ne_torch.interchange.onnx_export import export_onnx as export_onnx
    from ne_torch.interchange.onnx_import import import_onnx as import_onnx
    from ne_torch.interchange.torch_modules import from_torch as from_torch
    from ne_torch.interchange.torch_modules import to_torch as to_torch
    from ne_torch.serving import Predictor as Predictor
    from ne_torch.serving import load_predictor as load_predictor

_MODULES = ("callbacks", "data", "datasets", "functional", "init", "losses", "lr_scheduler", "metrics")
_ALONE = {
    "Predictor": "ne_torch.serving",
    "export_onnx": "ne_torch.interchange.onnx_export",
    "from_torch": "ne_torch.interchange.torch_modules",
    "import_onnx": "ne_torch.interchange.onnx_import",
    "load": "ne_torch.interchange.model_file",
    "load_predictor": "ne_torch.serving",
    "to_torch": "ne_torch.interchange.torch_modules",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"ne_torch.{name}")
    if name.startswith("_") and name != "__all__":
        raise AttributeError(f"module 'ne_torch' has no attribute {name!r}")
    public = import_module(_ALONE.get(name, "ne_torch._public"))
    try:
        value = getattr(public, name)
    except AttributeError:
        raise AttributeError(f"module 'ne_torch' has no attribute {name!r}") from None
    if name == "__all__":
        value = sorted({*value, *_MODULES, *_ALONE, "__version__"})
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
