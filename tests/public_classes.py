"""What makes one of each public class, by families, for the tests of lives.

A class that stands in no table fails test_public_classes.py.
"""

from __future__ import annotations

from functools import partial

import ne_torch as nt

from activations import fresh
from activations import layers as activations
from reference_losses import CASES
from test_adaptive_optimizers import CASES as ADAPTIVE
from test_optimizers import HYPER

OUT = 3  # features of a Linear; codes of an Embedding


def _residual(dtype, width):
    return nt.Residual(nt.Linear(width, width, dtype=dtype, rng=2), nt.Dropout(0.3, rng=3), nt.Tanh())


def _sequential(dtype, width):
    return nt.Sequential(
        nt.LayerNorm(width, dtype=dtype), nt.Linear(width, OUT, dtype=dtype, rng=2), nt.SiLU()
    )


# class: how it is made from a dtype and a width, in several ways
LAYERS = {
    nt.Linear: [
        lambda dtype, width: nt.Linear(width, OUT, dtype=dtype, rng=1),
        lambda dtype, width: nt.Linear(width, OUT, bias=False, dtype=dtype, rng=1),
    ],
    nt.Softmax: [lambda dtype, width: nt.Softmax()],
    nt.LogSoftmax: [lambda dtype, width: nt.LogSoftmax()],
    nt.Dropout: [lambda dtype, width, p=p: nt.Dropout(p, rng=4) for p in (0.0, 0.4, 1.0)],
    nt.LayerNorm: [
        lambda dtype, width: nt.LayerNorm(width, dtype=dtype),
        lambda dtype, width: nt.LayerNorm(width, elementwise_affine=False, dtype=dtype),
        lambda dtype, width: nt.LayerNorm(width, bias=False, dtype=dtype),
    ],
    nt.BatchNorm1d: [
        lambda dtype, width: nt.BatchNorm1d(width, dtype=dtype),
        lambda dtype, width: nt.BatchNorm1d(width, momentum=None, dtype=dtype),
        lambda dtype, width: nt.BatchNorm1d(width, affine=False, track_running_stats=False, dtype=dtype),
    ],
    nt.Embedding: [
        lambda dtype, width: nt.Embedding(OUT, width, dtype=dtype, rng=5),
        lambda dtype, width: nt.Embedding(OUT, width, padding_idx=1, dtype=dtype, rng=5),
    ],
    nt.TabularEmbedding: [
        lambda dtype, width: nt.TabularEmbedding(width, {0: (OUT, 2)}, dtype=dtype, rng=6),
    ],
    nt.Residual: [_residual],
    nt.Sequential: [_sequential],
}
for _layer in activations():
    LAYERS.setdefault(type(_layer), []).append(lambda dtype, width, like=_layer: fresh(like))

LOSSES = {kind: [case for case in CASES if case.cls is kind] for kind in {case.cls for case in CASES}}

# class: options
OPTIMIZERS = {nt.SGD: HYPER}
for _name, _options in ADAPTIVE:
    OPTIMIZERS.setdefault(getattr(nt, _name), []).append(_options)

_scheduler = nt.lr_scheduler
# class: how it is made for an optimizer, in several ways
SCHEDULERS = {
    _scheduler.StepLR: [partial(_scheduler.StepLR, step_size=size, gamma=0.5) for size in (1, 4)],
    _scheduler.MultiStepLR: [partial(_scheduler.MultiStepLR, milestones=[2, 2, 9])],
    _scheduler.ExponentialLR: [partial(_scheduler.ExponentialLR, gamma=gamma) for gamma in (0.9, 1.0)],
    _scheduler.LambdaLR: [partial(_scheduler.LambdaLR, lr_lambda=abs)],
    _scheduler.LinearLR: [_scheduler.LinearLR, partial(_scheduler.LinearLR, end_factor=0.0, total_iters=9)],
    _scheduler.CosineAnnealingLR: [partial(_scheduler.CosineAnnealingLR, T_max=length) for length in (1, 7)],
    _scheduler.OneCycleLR: [
        partial(_scheduler.OneCycleLR, max_lr=0.5, total_steps=200),
        partial(_scheduler.OneCycleLR, max_lr=0.5, total_steps=90, three_phase=True, cycle_momentum=False),
    ],
    _scheduler.ReduceLROnPlateau: [
        partial(_scheduler.ReduceLROnPlateau, patience=1),
        partial(_scheduler.ReduceLROnPlateau, mode="max", patience=0, cooldown=2, min_lr=0.01),
    ],
    _scheduler.SequentialLR: [
        lambda optimizer: _scheduler.SequentialLR(
            optimizer, [_scheduler.LinearLR(optimizer, 0.1), _scheduler.CosineAnnealingLR(optimizer, 9)], [4]
        )
    ],
    _scheduler.ChainedScheduler: [
        lambda optimizer: _scheduler.ChainedScheduler(
            [_scheduler.LinearLR(optimizer, 0.1), _scheduler.ExponentialLR(optimizer, 0.9)]
        )
    ],
}
