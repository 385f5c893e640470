"""Losses with their options, for the tests: a case builds ne_torch's loss, torch's, and suitable data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ne_torch as nt
import numpy as np
import torch


@dataclass
class Case:
    exported: str  # the class
    value: Callable[..., Any]  # of reference_losses, as slope is
    slope: Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)
    target: str = "float"  # float, unit, count, classes, ignored, probabilities

    def __str__(self):
        return "-".join([self.name, self.target, *(f"{n}" for n in self.options)])

    @property
    def name(self):
        """Return the name of the kernel and of the functions."""
        return self.value.__name__

    @property
    def cls(self):
        return getattr(nt, self.exported)

    @property
    def class_wise(self):
        return self.name in ("cross_entropy", "nll")

    def ours(self, reduction="mean"):
        return self.cls(reduction=reduction, **self.options)

    def torchs(self, dtype, reduction="none"):
        if self.name == "quantile":
            q = self.options.get("quantile", 0.5)

            def pinball(x, t):
                losses = torch.where(x > t, (1 - q) * (x - t), q * (t - x))
                return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]

            return pinball
        options = {
            n: torch.tensor(np.asarray(v, dtype)) if n in ("weight", "pos_weight") else v
            for n, v in self.options.items()
        }
        return getattr(torch.nn, self.cls.__name__)(reduction=reduction, **options)

    def value_and_magnitude(self, x, target):
        """Return what is not reduced, in float64, and the magnitude of its rounding errors."""
        return self.value(np.asarray(x, np.float64), self._wide(target), **self.options)

    def slope_and_magnitude(self, x, target):
        """Return the derivative of each element or sample by the prediction, and likewise."""
        return self.slope(np.asarray(x, np.float64), self._wide(target), **self.options)

    def counts(self, target, rows, classes):
        """Return what each row has in the mean's divisor."""
        if not self.class_wise:
            return np.full(rows, float(classes))
        if np.asarray(target).dtype.kind == "f":
            return np.ones(rows)
        counted = target != self.options.get("ignore_index", -100)
        weight = np.asarray(self.options.get("weight", np.ones(classes)), np.float64)
        return np.where(counted, weight[np.where(counted, target, 0)], 0.0)

    def data(self, rows, classes, dtype, seed=0):
        rng = np.random.default_rng(seed)
        x = (2 * rng.standard_normal((rows, classes))).astype(dtype)
        if self.options.get("log_input") is False:
            x = np.abs(x) + dtype.type(0.1)
        if self.name == "nll":
            x = np.log(rng.dirichlet(np.ones(classes), rows)).astype(dtype)
        if self.target in ("classes", "ignored"):
            target = rng.integers(0, classes, rows)
            if self.target == "ignored":
                target[::3] = self.options.get("ignore_index", -100)
            return x, target
        targets = {
            "float": lambda: rng.standard_normal((rows, classes)),
            "unit": lambda: rng.random((rows, classes)),
            "count": lambda: rng.integers(0, 9, (rows, classes)),
            "probabilities": lambda: rng.dirichlet(np.ones(classes), rows),
        }
        return x, targets[self.target]().astype(dtype)

    @staticmethod
    def _wide(target):
        target = np.asarray(target)
        return target.astype(np.float64) if target.dtype.kind == "f" else target
