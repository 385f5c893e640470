"""Trainer.step against torch: 100 steps of a small net, and one of MNIST's size."""

import functools

import ne_torch as nt
import numpy as np
import pytest
import torch

import reference
from error_bounds import Arithmetic, Bound, train_step
from networks import make
from samples import normal
from trajectory import trajectory

HYPER = {
    "plain": {"lr": 0.05},
    "momentum": {"lr": 0.01, "momentum": 0.9},
    "nesterov": {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True},
}
SIZES, BATCH, STEPS = (4, 6, 2), 8, 100
SEED = 22  # one of seven below 60 whose ReLUs stay clear of 0, as trajectory() wants and asserts


def make_trainer(sizes, dtype, batch, seed=SEED, **hyper):
    """Return trainer, torch's net and optimizer, and a batch; the same numbers for either dtype."""
    model, twin = make(sizes, np.dtype("float32"), seed)
    if dtype != "float32":
        single, (model, twin) = model, make(sizes, dtype, seed)
        model.load_state_dict(single.state_dict())
        twin.load_state_dict({name: torch.from_numpy(a) for name, a in model.state_dict().items()})
    x, target = (normal((batch, n), "float32", seed + 50 + n).astype(dtype) for n in (sizes[0], sizes[-1]))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), **hyper))
    return trainer, (twin, torch.optim.SGD(twin.parameters(), **hyper)), x, target


def torch_step(twin, optimizer, x, target):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(twin(torch.from_numpy(x)), torch.from_numpy(target))
    loss.backward()
    optimizer.step()
    return loss.item()


@functools.cache
def expected_steps(dtype, name):
    trainer, _, x, target = make_trainer(SIZES, dtype, BATCH, **HYPER[name])
    params = [parameter.data for parameter in trainer.model.parameters()]
    return list(trajectory(params, x, target, dtype, STEPS, **HYPER[name]))


@pytest.mark.parametrize("name", HYPER)
def test_trainer_parity_over_100_steps(isa, dtype, name):
    trainer, (twin, optimizer), x, target = make_trainer(SIZES, dtype, BATCH, **HYPER[name])
    start = trainer.model.state_dict()
    for expected in expected_steps(dtype, name):
        loss, their_loss = trainer.step(x, target), torch_step(twin, optimizer, x, target)
        reference.assert_within(loss, expected.loss.value, expected.loss.radius)
        reference.assert_within(loss, their_loss, 2 * expected.loss.radius)
        triples = zip(trainer.model.parameters(), twin.parameters(), expected.params, strict=True)
        for parameter, their, bound in triples:
            reference.assert_within(parameter.data, bound.value, bound.radius)
            reference.assert_within(parameter.data, their.detach().numpy(), 2 * bound.radius)
    # the training was one: far beyond the bound, every array moved
    for before, bound in zip(start.values(), expected.params, strict=True):
        assert np.abs(bound.value - before).max() > 1000 * bound.radius.max()


def test_trainer_parity_of_a_step_of_mnist_size(isa, dtype):
    trainer, (twin, optimizer), x, target = make_trainer((784, 128, 10), dtype, 64, lr=0.1)
    params = [Bound.exact(parameter.data) for parameter in trainer.model.parameters()]
    layers, nothing = [tuple(params[:2]), tuple(params[2:])], [Bound.exact(0 * p.value) for p in params]
    velocities = [tuple(nothing[:2]), tuple(nothing[2:])]
    loss, layers, _ = train_step(Arithmetic(dtype), layers, velocities, x, target, lr=0.1)
    value, their_value = trainer.step(x, target), torch_step(twin, optimizer, x, target)
    reference.assert_within(value, loss.value, loss.radius)
    reference.assert_within(value, their_value, 2 * loss.radius)
    bounds = [bound for layer in layers for bound in layer]
    for parameter, their, bound in zip(trainer.model.parameters(), twin.parameters(), bounds, strict=True):
        reference.assert_within(parameter.data, bound.value, bound.radius)
        reference.assert_within(parameter.data, their.detach().numpy(), 2 * bound.radius)
