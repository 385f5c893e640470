"""Optimizers: how parameters follow their gradients."""

from ne_torch.optimizers.optimizer import Optimizer
from ne_torch.optimizers.sgd import SGD

__all__ = ["SGD", "Optimizer"]
