"""Optimizers: how parameters follow their gradients."""

from ne_torch.optimizers.adagrad import Adagrad
from ne_torch.optimizers.adam import Adam, AdamW
from ne_torch.optimizers.lbfgs import LBFGS
from ne_torch.optimizers.optimizer import Optimizer
from ne_torch.optimizers.rmsprop import RMSprop
from ne_torch.optimizers.sgd import SGD

__all__ = ["LBFGS", "SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]
