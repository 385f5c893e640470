"""Losses: a number to make small, and its gradient."""

from ne_torch.losses.absolute import L1Loss
from ne_torch.losses.binary_cross_entropy import BCEWithLogitsLoss
from ne_torch.losses.cross_entropy import CrossEntropyLoss
from ne_torch.losses.huber import HuberLoss, SmoothL1Loss
from ne_torch.losses.likelihood import NLLLoss
from ne_torch.losses.loss import Loss
from ne_torch.losses.poisson import PoissonNLLLoss
from ne_torch.losses.quantile import QuantileLoss
from ne_torch.losses.squared import MSELoss

__all__ = [
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "QuantileLoss",
    "SmoothL1Loss",
]
