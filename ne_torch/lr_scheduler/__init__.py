"""Schedules of learning rates, under torch's names: the same numbers from the same arguments.

``Trainer(model, loss=..., optimizer=..., scheduler=...)`` steps one after each epoch, or after each step of
the optimizer: ``OneCycleLR`` always, others with ``per_step=True``. cos is the project's own, so that
learning rates are the same on every machine.
"""

from ne_torch.lr_scheduler.annealing import CosineAnnealingLR, LinearLR
from ne_torch.lr_scheduler.composed import ChainedScheduler, SequentialLR
from ne_torch.lr_scheduler.decay import ExponentialLR, LambdaLR, MultiStepLR, StepLR
from ne_torch.lr_scheduler.one_cycle import OneCycleLR
from ne_torch.lr_scheduler.plateau import ReduceLROnPlateau
from ne_torch.lr_scheduler.scheduler import LRScheduler

__all__ = [
    "ChainedScheduler",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
