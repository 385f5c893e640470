"""SGD against torch.optim.SGD, and its definition to the bit."""

import ne_torch as nt
import numpy as np
import pytest
import torch

import reference
from error_bounds import Arithmetic, Bound
from samples import normal, same_bits

HYPER = [
    {"lr": 0.1},
    {"lr": 0.1, "weight_decay": 0.03},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.03},
    {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.03, "nesterov": True},
    {"lr": 0.0, "momentum": 0.9},
]
# neighbours of a vector (4, 8, 16) and of two
SHAPES = [(1,), (3, 5), (33, 31), *[(n + i,) for n in (4, 8, 16, 32) for i in (-1, 0, 1)]]


@pytest.mark.parametrize("hyper", HYPER, ids=str)
def test_sgd_parity_over_steps(isa, dtype, hyper):
    start = normal((7, 9), dtype)
    parameter, leaf = nt.Parameter(start.copy()), torch.tensor(start, requires_grad=True)
    ours, theirs = nt.SGD([parameter], **hyper), torch.optim.SGD([leaf], **hyper)
    bound, velocity = Bound.exact(start), Bound.exact(0 * start)
    for step in range(20):
        grad = normal((7, 9), dtype, step + 1)
        parameter.grad, leaf.grad = grad.copy(), torch.tensor(grad)
        ours.step()
        theirs.step()
        bound, velocity = Arithmetic(dtype).sgd_update(bound, Bound.exact(grad), velocity, **hyper)
        reference.assert_within(parameter.data, bound.value, bound.radius)
        reference.assert_within(parameter.data, leaf.detach().numpy(), 2 * bound.radius)
        assert same_bits(parameter.grad, grad)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("hyper", HYPER, ids=str)
def test_sgd_step_is_its_fused_multiply_adds(isa, dtype, hyper, shape):
    parameter = nt.Parameter(normal(shape, dtype))
    sgd = nt.SGD([parameter], **hyper)
    lr, momentum, weight_decay = (dtype.type(hyper.get(n, 0)) for n in ("lr", "momentum", "weight_decay"))
    param, velocity = parameter.data.copy(), np.zeros(shape, dtype)
    for step in range(2):
        parameter.grad = normal(shape, dtype, step + 1)
        sgd.step()
        direction = parameter.grad
        if weight_decay:
            direction = reference.fma(np.full(shape, weight_decay), param, direction)
        if momentum:
            velocity = reference.fma(np.full(shape, momentum), velocity, direction)
            ahead = hyper.get("nesterov", False)
            direction = reference.fma(np.full(shape, momentum), velocity, direction) if ahead else velocity
        param = reference.fma(np.full(shape, -lr), direction, param)
        assert same_bits(parameter.data, param)


@pytest.mark.parametrize("weight_decay", [0.0, 0.25])
@pytest.mark.parametrize(
    ("dampening", "maximize", "momentum"),
    [(0.5, False, 0.5), (0.0, True, 0.5), (0.25, True, 0.5), (0, True, 0)],
)
def test_sgd_dampening_and_maximize_are_those_of_torch(
    isa, dtype, dampening, maximize, momentum, weight_decay
):
    """Numbers of few bits, so that no rounding blurs the comparison."""
    start = np.array([1.0, -2.0, 4.0], dtype)
    parameter, leaf = nt.Parameter(start.copy()), torch.tensor(start, requires_grad=True)
    hyper = {"lr": 0.5, "momentum": momentum, "weight_decay": weight_decay, "maximize": maximize}
    ours = nt.SGD([parameter], dampening=dampening, **hyper)
    theirs = torch.optim.SGD([leaf], dampening=dampening, **hyper)
    for step in range(4):
        grad = np.array([1.0, 0.5, -2.0], dtype) * (step + 1)
        parameter.grad, leaf.grad = grad, torch.tensor(grad)
        ours.step()
        theirs.step()
        assert parameter.data.tolist() == leaf.tolist()


def test_sgd_hyperparameters_change_between_steps(dtype):
    parameter = nt.Parameter(np.ones(3, dtype))
    sgd = nt.SGD([parameter], lr=1.0)
    parameter.grad = np.ones(3, dtype)
    sgd.lr = 0.5
    sgd.step()
    assert parameter.data.tolist() == [0.5] * 3
    sgd.weight_decay = 1.0  # 0.5 - 0.5 * (1 + 0.5)
    sgd.step()
    assert parameter.data.tolist() == [-0.25] * 3
    sgd.weight_decay, sgd.momentum = 0, 0.5  # velocity 1, then 1.5
    for expected in (-0.75, -1.5):
        sgd.step()
        assert parameter.data.tolist() == [expected] * 3
    sgd.momentum = 0
    sgd.step()
    assert parameter.data.tolist() == [-2.0] * 3


def test_sgd_passes_over_parameters_without_gradient(dtype):
    a, b = nt.Parameter(np.ones(2, dtype)), nt.Parameter(np.ones(2, dtype))
    sgd = nt.SGD([a, b], lr=1.0, momentum=0.5)
    a.grad = np.ones(2, dtype)
    sgd.step()
    assert a.data.tolist() == [0, 0]
    assert b.data.tolist() == [1, 1]
    sgd.zero_grad()
    assert a.grad is None
    sgd.step()
    assert a.data.tolist() == [0, 0]


def test_sgd_makes_velocities_where_momentum_wants_them(dtype):
    parameter = nt.Parameter(np.ones((2, 3), dtype))
    assert nt.SGD([parameter], lr=0.1).velocity() == [None]
    (velocity,) = nt.SGD([parameter], lr=0.1, momentum=0.9).velocity()
    assert same_bits(velocity, np.zeros((2, 3), dtype))


def test_sgd_takes_numbers_of_any_kind():
    parameter = nt.Parameter(np.ones(1, "float32"))
    sgd = nt.SGD([parameter], lr=np.float32(0.5), momentum=1, weight_decay=np.array(0.25), nesterov=1)
    assert repr(sgd) == (
        "SGD(lr=0.5, momentum=1.0, weight_decay=0.25, nesterov=True, dampening=0.0, maximize=False)"
    )
