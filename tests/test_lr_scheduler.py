"""Schedulers: torch's trajectories, number by number, and what a scheduler of its own has to keep."""

import contextlib
import copy
import math
import pickle

import mpmath
import ne_torch as nt
import numpy as np
import pytest
import torch
from ne_torch.lr_scheduler.cosine import cosine

STEPS = 300
SGD = {"momentum": 0.9}
CASES = [  # scheduler, its arguments, optimizer
    ("StepLR", {"step_size": 7, "gamma": 0.3}, "SGD"),
    ("StepLR", {"step_size": 1}, "Adam"),
    ("MultiStepLR", {"milestones": [3, 50, 50, 120], "gamma": 0.5}, "SGD"),
    ("ExponentialLR", {"gamma": 0.97}, "RMSprop"),
    ("LambdaLR", {"lr_lambda": lambda count: 1 / (1 + count)}, "Adagrad"),
    ("LambdaLR", {"lr_lambda": [lambda count: 0.9**count, lambda _: 1.0]}, "SGD"),
    ("LinearLR", {}, "SGD"),
    ("LinearLR", {"start_factor": 0.01, "total_iters": 100}, "Adam"),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 30}, "SGD"),
    ("CosineAnnealingLR", {"T_max": 300}, "SGD"),
    ("CosineAnnealingLR", {"T_max": 37, "eta_min": 0.001}, "Adam"),
    ("CosineAnnealingLR", {"T_max": 1}, "SGD"),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": STEPS}, "SGD"),
    ("OneCycleLR", {"max_lr": [0.5, 0.1], "epochs": 10, "steps_per_epoch": 30}, "Adam"),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 301, "anneal_strategy": "linear"}, "SGD"),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 310, "three_phase": True, "pct_start": 0.4}, "AdamW"),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": STEPS, "cycle_momentum": False}, "Adagrad"),
    (
        "OneCycleLR",
        {
            "max_lr": 0.5,
            "total_steps": 400,
            "base_momentum": [0.5, 0.6],
            "max_momentum": 0.9,
            "div_factor": 3.0,
            "final_div_factor": 10.0,
        },
        "RMSprop",
    ),
]


def pairs(optimizer="SGD", lr=(0.1, 0.02), **options):
    """Return our optimizer and torch's, of two groups."""
    ours = [{"params": [nt.Parameter(np.ones(2))], "lr": value} for value in lr]
    theirs = [{"params": [torch.ones(2, requires_grad=True)], "lr": value} for value in lr]
    return getattr(nt, optimizer)(ours, **options), getattr(torch.optim, optimizer)(theirs, **options)


def numbers(group):
    momentum = group["momentum"] if "momentum" in group else group["betas"][0] if "betas" in group else 0
    return [group["lr"], momentum]


def read(optimizer):
    return [number for group in optimizer.param_groups for number in numbers(_dict(group))]


def _dict(group):
    found = {name: group[name] for name in ("lr", "momentum") if name in group}
    with contextlib.suppress(KeyError):
        found["betas"] = group["betas"]
    return found


def run(ours, theirs, optimizers, steps):
    """Step both, and compare every hyperparameter after each step: ours are torch's numbers.

    The formulas and their order are torch's, so only the cosines differ, by an ulp each where libm's is not
    the correctly rounded one: two a step, of which errors add up.
    """
    for step in range(steps + 1):
        found, expected = read(optimizers[0]), read(optimizers[1])
        assert found == pytest.approx(expected, rel=4 * (step + 1) * 2.0**-53, abs=1e-18), step
        assert ours.get_last_lr() == found[::2]
        optimizers[1].step()
        ours.step()
        theirs.step()


@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step.*optimizer.step")
@pytest.mark.parametrize(("name", "options", "optimizer"), CASES, ids=str)
def test_trajectory_is_that_of_torch(name, options, optimizer):
    optimizers = pairs(optimizer)
    ours = getattr(nt.lr_scheduler, name)(optimizers[0], **options)
    theirs = getattr(torch.optim.lr_scheduler, name)(optimizers[1], **options)
    run(ours, theirs, optimizers, STEPS - 1)
    assert ours.last_epoch == theirs.last_epoch == STEPS


@pytest.mark.parametrize("name", ["StepLR", "ExponentialLR", "LinearLR", "MultiStepLR"])
def test_schedules_without_a_cosine_are_torchs_to_the_bit(name):
    options = next(options for found, options, _ in CASES if found == name)
    optimizers = pairs()
    ours = getattr(nt.lr_scheduler, name)(optimizers[0], **options)
    theirs = getattr(torch.optim.lr_scheduler, name)(optimizers[1], **options)
    for _ in range(STEPS):
        assert ours.get_last_lr() == theirs.get_last_lr()
        optimizers[1].step()
        ours.step()
        theirs.step()


def composed(module, optimizer, kind):
    if kind == "warm-up, cosine":
        inner = [module.LinearLR(optimizer, 0.1, total_iters=20), module.CosineAnnealingLR(optimizer, 180)]
        return module.SequentialLR(optimizer, inner, [20])
    if kind == "three":
        inner = [
            module.ExponentialLR(optimizer, 0.9),
            module.StepLR(optimizer, 4, 0.5),
            module.LinearLR(optimizer, 0.3),
        ]
        return module.SequentialLR(optimizer, inner, [13, 40])
    if kind == "sequence in a sequence":
        inner = [module.LinearLR(optimizer, 0.5), composed(module, optimizer, "three")]
        return module.SequentialLR(optimizer, inner, [10])
    return module.ChainedScheduler(
        [module.LinearLR(optimizer, 0.1, total_iters=20), module.ExponentialLR(optimizer, 0.95)]
    )


@pytest.mark.parametrize("kind", ["warm-up, cosine", "three", "chained"])
def test_composed_trajectory_is_that_of_torch(kind):
    optimizers = pairs()
    run(
        composed(nt.lr_scheduler, optimizers[0], kind),
        composed(torch.optim.lr_scheduler, optimizers[1], kind),
        optimizers,
        150,
    )


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"mode": "max", "factor": 0.5, "patience": 1, "threshold": 0.1},
        {"threshold_mode": "abs", "threshold": 0.2, "cooldown": 3, "patience": 0},
        {"mode": "max", "threshold_mode": "abs", "min_lr": [0.05, 0.001], "patience": 1},
        {"patience": 0, "eps": 0.01},
    ],
    ids=str,
)
def test_plateau_is_that_of_torch(options):
    ours, theirs = pairs()
    ours = nt.lr_scheduler.ReduceLROnPlateau(ours, **options)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    rng = np.random.default_rng(0)
    for step in range(60):
        metric = float(np.nan if step == 20 else 1 / (1 + step) + rng.integers(-2, 3) / 4)
        ours.step(metric)
        theirs.step(metric)
        assert ours.get_last_lr() == theirs.get_last_lr()
        for name in ("best", "num_bad_epochs", "cooldown_counter", "last_epoch"):
            assert getattr(ours, name) == getattr(theirs, name)


def test_cosine_is_correctly_rounded():
    rng = np.random.default_rng(0)
    samples = [*rng.uniform(0, 7, 500), *rng.uniform(0, 1000, 200), 0.0, math.pi, math.pi / 2, 1e-9, -1.0]
    with mpmath.workdps(80):
        for x in map(float, samples):
            assert cosine(x) == float(mpmath.cos(mpmath.mpf(x)))


def made(kind, optimizer):
    if kind in ("warm-up, cosine", "chained"):
        return composed(nt.lr_scheduler, optimizer, kind)
    if kind == "plateau":
        return nt.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    if kind == "one cycle":
        return nt.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=50)
    return nt.lr_scheduler.CosineAnnealingLR(optimizer, 20)


KINDS = ["cosine", "warm-up, cosine", "chained", "one cycle", "plateau"]


def moved(scheduler, steps):
    found = []
    for _ in range(steps):
        scheduler.step(*[1.0] * (type(scheduler) is nt.lr_scheduler.ReduceLROnPlateau))
        found.append(read(scheduler.optimizer))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_state_goes_over_to_another_scheduler(kind):
    first, second = pairs(**SGD)[0], pairs(**SGD)[0]
    scheduler, other = made(kind, first), made(kind, second)
    moved(scheduler, 13)
    second.load_state_dict(first.state_dict())
    other.load_state_dict(scheduler.state_dict())
    assert other.state_dict() == scheduler.state_dict()
    assert moved(other, 20) == moved(scheduler, 20)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
@pytest.mark.parametrize("kind", KINDS)
def test_copy_goes_on_as_the_original_does(kind, copied):
    scheduler = made(kind, pairs(**SGD)[0])
    moved(scheduler, 13)
    twin = copied(scheduler)
    assert twin.optimizer is not scheduler.optimizer
    assert moved(twin, 20) == moved(scheduler, 20)


def test_a_learning_rate_that_is_set_in_between_is_taken_up():
    optimizers = pairs()
    ours = nt.lr_scheduler.ExponentialLR(optimizers[0], 0.5)
    theirs = torch.optim.lr_scheduler.ExponentialLR(optimizers[1], 0.5)
    for optimizer, scheduler in zip(optimizers, (ours, theirs), strict=True):
        optimizer.step()
        scheduler.step()
        optimizer.param_groups[0]["lr"] = 8.0
        scheduler.step()
    assert read(optimizers[0]) == read(optimizers[1])


def test_last_epoch_goes_on_in_groups_that_know_their_beginning():
    optimizers = pairs()
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = 0.5
    ours = nt.lr_scheduler.StepLR(optimizers[0], 3, last_epoch=4)
    theirs = torch.optim.lr_scheduler.StepLR(optimizers[1], 3, last_epoch=4)
    assert ours.last_epoch == theirs.last_epoch == 5
    assert ours.base_lrs == theirs.base_lrs == [0.5, 0.5]
    run(ours, theirs, optimizers, 10)
    with pytest.raises(ValueError, match='expected "initial_lr" in param_groups'):
        nt.lr_scheduler.StepLR(pairs()[0], 3, last_epoch=4)


class Halving(nt.lr_scheduler.LRScheduler):
    def next_values(self, _count, groups, initial=False):
        return groups if initial else [{"lr": group["lr"] / 2} for group in groups]


def test_scheduler_of_ones_own_is_stepped():
    optimizer = pairs()[0]
    Halving(optimizer).step()
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.01]


OPTIMIZER = pairs()[0]
S = nt.lr_scheduler


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: S.StepLR("SGD", 3), TypeError, "StepLR: expected an optimizer of ne_torch, got str"),
        (lambda: S.StepLR(OPTIMIZER, 0), ValueError, "StepLR: expected step_size"),
        (lambda: S.ExponentialLR(OPTIMIZER, float("nan")), ValueError, "ExponentialLR: expected gamma"),
        (lambda: S.LambdaLR(OPTIMIZER, [abs]), ValueError, "LambdaLR: expected lr_lambda as 2 functions"),
        (lambda: S.LambdaLR(OPTIMIZER, lambda _: -1.0), ValueError, "LambdaLR: expected lr >= 0, got -0.1"),
        (lambda: S.LinearLR(OPTIMIZER, 0.0), ValueError, "LinearLR: expected start_factor"),
        (lambda: S.LinearLR(OPTIMIZER, 0.5, 2.0), ValueError, "LinearLR: expected end_factor"),
        (lambda: S.CosineAnnealingLR(OPTIMIZER, 1.5), TypeError, "CosineAnnealingLR: expected T_max"),
        (lambda: S.OneCycleLR(OPTIMIZER, 0.1), ValueError, "OneCycleLR: expected total_steps, or epochs"),
        (lambda: S.OneCycleLR(OPTIMIZER, [0.1], 5), ValueError, "max_lr for 2 groups, got 1"),
        (lambda: S.OneCycleLR(OPTIMIZER, 0.1, 5, pct_start=2.0), ValueError, "pct_start from 0 to 1"),
        (lambda: S.OneCycleLR(OPTIMIZER, 0.1, 5, anneal_strategy="x"), ValueError, '"cos" or "linear"'),
        (lambda: S.OneCycleLR(OPTIMIZER, 0.1, 5, div_factor=0), ValueError, "div_factor > 0"),
        (lambda: S.OneCycleLR(pairs("Adagrad")[0], 0.1, 5), ValueError, "pass cycle_momentum=False"),
        (lambda: S.ReduceLROnPlateau(OPTIMIZER, "x"), ValueError, 'mode "min" or "max"'),
        (lambda: S.ReduceLROnPlateau(OPTIMIZER, threshold_mode="x"), ValueError, '"rel" or "abs"'),
        (lambda: S.ReduceLROnPlateau(OPTIMIZER, factor=1.0), ValueError, "factor < 1"),
        (lambda: S.SequentialLR(OPTIMIZER, [S.ExponentialLR(OPTIMIZER, 1)], [3]), ValueError, "milestones"),
        (lambda: S.ChainedScheduler([]), ValueError, "at least one scheduler"),
        (lambda: S.ChainedScheduler([S.ReduceLROnPlateau(OPTIMIZER)]), TypeError, "go by their counter"),
        (
            lambda: S.ChainedScheduler([S.StepLR(OPTIMIZER, 3), S.StepLR(pairs()[0], 3)]),
            ValueError,
            "of one optimizer",
        ),
        (
            lambda: S.ChainedScheduler([S.StepLR(OPTIMIZER, 3), S.StepLR(OPTIMIZER, 3, per_step=True)]),
            ValueError,
            "pass per_step",
        ),
        (lambda: S.LRScheduler(OPTIMIZER), NotImplementedError, "LRScheduler has no next_values"),
        (lambda: S.StepLR(OPTIMIZER, 3).load_state_dict({}), ValueError, "StepLR.load_state_dict: expected"),
    ],
)
def test_what_cannot_be_scheduled_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_end_of_a_cycle_is_said_and_changes_nothing():
    optimizer = pairs()[0]
    scheduler = nt.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=5)
    moved(scheduler, 5)
    before = read(optimizer)
    with pytest.raises(ValueError, match="expected 5 steps at most, its total_steps, got one more"):
        scheduler.step()
    assert read(optimizer) == before
    assert scheduler.last_epoch == 5


def test_an_added_group_is_no_part_of_a_schedule():
    optimizer = pairs()[0]
    scheduler = nt.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.add_param_group({"params": [nt.Parameter(np.ones(1))]})
    with pytest.raises(ValueError, match="expected the 2 parameter groups that there were"):
        scheduler.step()
