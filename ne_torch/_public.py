"""The names of ``ne_torch`` that are loaded together, by the first of them that is asked for."""

from ne_torch import losses
from ne_torch._config import get_num_threads, set_num_threads, show_config
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
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_num_threads",
    "gradcheck",
    "manual_seed",
    "set_num_threads",
    "show_config",
]
__all__ += losses.__all__
