"""Fully connected neural networks on the CPU: exact, fast, and the same bits everywhere."""

from typing import TYPE_CHECKING, Any

from ne_torch import callbacks, data, functional, init, losses, lr_scheduler, metrics
from ne_torch._config import get_num_threads, set_num_threads, show_config
from ne_torch._core import __version__
from ne_torch._gradcheck import gradcheck
from ne_torch.activations import (
    ELU,
    GELU,
    SELU,
    Hardtanh,
    Identity,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from ne_torch.clipping import clip_grad_norm_, clip_grad_value_
from ne_torch.dropout import Dropout
from ne_torch.embeddings import Embedding, TabularEmbedding
from ne_torch.layer import Layer, Parameter
from ne_torch.linear import Linear
from ne_torch.losses import *  # noqa: F403 - its exports are ours
from ne_torch.normalization import BatchNorm1d, LayerNorm
from ne_torch.optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from ne_torch.random import Generator, manual_seed
from ne_torch.residual import Residual
from ne_torch.sequential import Sequential
from ne_torch.trainer import History, Trainer

if TYPE_CHECKING:
    from ne_torch import datasets
    from ne_torch.interchange.model_file import load
    from ne_torch.interchange.onnx_export import export_onnx
    from ne_torch.interchange.onnx_import import import_onnx
    from ne_torch.interchange.torch_modules import from_torch, to_torch
    from ne_torch.serving import Predictor, load_predictor

__all__ = [
    "ELU",
    "GELU",
    "LBFGS",
    "SELU",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm1d",
    "Dropout",
    "Embedding",
    "Generator",
    "Hardtanh",
    "History",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Optimizer",
    "Parameter",
    "Predictor",
    "RMSprop",
    "ReLU",
    "ReLU6",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "TabularEmbedding",
    "Tanh",
    "Trainer",
    "__version__",
    "callbacks",
    "clip_grad_norm_",
    "clip_grad_value_",
    "data",
    "datasets",
    "export_onnx",
    "from_torch",
    "functional",
    "get_num_threads",
    "gradcheck",
    "import_onnx",
    "init",
    "load",
    "load_predictor",
    "losses",
    "lr_scheduler",
    "manual_seed",
    "metrics",
    "set_num_threads",
    "show_config",
    "to_torch",
]
__all__ += losses.__all__

_LATER = {
    "Predictor": "ne_torch.serving",
    "export_onnx": "ne_torch.interchange.onnx_export",
    "from_torch": "ne_torch.interchange.torch_modules",
    "import_onnx": "ne_torch.interchange.onnx_import",
    "load": "ne_torch.interchange.model_file",
    "load_predictor": "ne_torch.serving",
    "to_torch": "ne_torch.interchange.torch_modules",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: archives and hashes cost more than all the rest.
    import importlib

    if name == "datasets":
        return importlib.import_module("ne_torch.datasets")
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module 'ne_torch' has no attribute {name!r}")
