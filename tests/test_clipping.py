"""Clipping of gradients: torch's functions, the bits of their definition, and what cannot be clipped."""

import math

import ne_torch as nt
import numpy as np
import pytest
import torch

import twin_library as twin
from samples import normal, same_bits

SHAPES = [(17, 33), (33,), (5, 17), (5,), (2, 3, 4), (1,)]


def parameters(dtype, scale=1.0):
    ours = [nt.Parameter(np.zeros(shape, dtype)) for shape in SHAPES]
    theirs = [torch.zeros(shape, dtype=getattr(torch, dtype.name), requires_grad=True) for shape in SHAPES]
    for i, (p, leaf) in enumerate(zip(ours, theirs, strict=True)):
        p.grad = dtype.type(scale) * normal(p.shape, dtype, i)
        leaf.grad = torch.tensor(p.grad)
    return ours, theirs


@pytest.mark.parametrize("norm_type", [2, 2.0, 1, math.inf])
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 5.0, 1e4, math.inf])
def test_norm_clipping_is_that_of_torch(isa, dtype, max_norm, norm_type):
    """The norm of ours is in float64; torch's is rounded 700 times in the dtype at most."""
    ours, theirs = parameters(dtype)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type).item()
    eps = float(np.finfo(dtype).eps)
    assert nt.clip_grad_norm_(ours, max_norm, norm_type) == pytest.approx(expected, rel=700 * eps)
    for p, leaf in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad, leaf.grad.numpy(), rtol=702 * eps)


@pytest.mark.parametrize("max_norm", [0.5, 1e4])
def test_norm_clipping_is_its_definition(isa, dtype, max_norm):
    ours, _ = parameters(dtype)
    grads = [p.grad.copy() for p in ours]
    total = 0.0
    for grad in grads:
        for row in grad.reshape(-1, grad.shape[-1]):
            total += twin.square_sum(np.ascontiguousarray(row[None]))
    norm = math.sqrt(total)
    assert nt.clip_grad_norm_(ours, max_norm) == norm
    factor = dtype.type(min(max_norm / (norm + 1e-6), 1.0))
    assert all(same_bits(p.grad, factor * grad) for p, grad in zip(ours, grads, strict=True))


@pytest.mark.parametrize("clip_value", [0.0, 0.25, 100.0])
def test_value_clipping_is_that_of_torch(dtype, clip_value):
    ours, theirs = parameters(dtype)
    for p, leaf in zip(ours, theirs, strict=True):
        p.grad.flat[0], leaf.grad.view(-1)[0] = np.nan, math.nan
        p.grad.flat[-1], leaf.grad.view(-1)[-1] = -np.inf, -math.inf
    nt.clip_grad_value_(ours, clip_value)
    torch.nn.utils.clip_grad_value_(theirs, clip_value)
    for p, leaf in zip(ours, theirs, strict=True):
        assert np.array_equal(p.grad, leaf.grad.numpy(), equal_nan=True)


@pytest.mark.parametrize("value", [np.inf, np.nan])
@pytest.mark.parametrize("norm_type", [2, 1, math.inf])
def test_norm_that_is_not_finite_is_torchs_or_an_error(dtype, value, norm_type):
    ours, theirs = parameters(dtype)
    ours[2].grad[1, 1] = value
    theirs[2].grad[1, 1] = value
    before = [p.grad.copy() for p in ours]
    with pytest.raises(RuntimeError, match="expected gradients with a finite norm, got"):
        nt.clip_grad_norm_(ours, 1.0, norm_type, error_if_nonfinite=True)
    assert all(same_bits(p.grad, grad) for p, grad in zip(ours, before, strict=True))
    expected = torch.nn.utils.clip_grad_norm_(theirs, 1.0, norm_type).item()
    assert nt.clip_grad_norm_(ours, 1.0, norm_type) == pytest.approx(expected, nan_ok=True)
    for p, leaf in zip(ours, theirs, strict=True):
        assert np.array_equal(p.grad, leaf.grad.numpy(), equal_nan=True)


def test_squares_that_overflow_the_dtype_do_not_overflow_the_norm():
    parameter = nt.Parameter(np.zeros(2, "float32"))
    parameter.grad = np.array([3e30, 4e30], "float32")
    assert nt.clip_grad_norm_(parameter, 1.0) == pytest.approx(5e30, rel=1e-7)
    np.testing.assert_allclose(parameter.grad, [0.6, 0.8], rtol=1e-6)


def test_parameters_without_gradients_are_passed_over():
    ours = [nt.Parameter(np.zeros(2)), nt.Parameter(np.zeros((0, 3))), nt.Parameter(np.zeros((2, 2)))]
    assert nt.clip_grad_norm_(ours, 1.0) == 0.0
    ours[1].grad, ours[2].grad = np.zeros((0, 3)), np.full((2, 2), 2.0)[:, ::-1]
    for norm_type, norm in ((2, 4.0), (1, 8.0), (math.inf, 2.0)):
        assert nt.clip_grad_norm_(ours, math.inf, norm_type) == norm
    nt.clip_grad_value_(ours, 1.0)
    assert ours[2].grad.tolist() == [[1, 1], [1, 1]]


def _read_only():
    parameter = nt.Parameter(np.zeros(2))
    parameter.grad = np.broadcast_to(1.0, 2)
    return parameter


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: nt.clip_grad_norm_(p, "1"), TypeError, "clip_grad_norm_: expected max_norm"),
        (lambda p: nt.clip_grad_norm_(p, 1.0, 3), ValueError, "expected norm_type 1, 2 or inf, got 3"),
        (lambda _: nt.clip_grad_norm_([1.0], 1.0), TypeError, "expected params from model.parameters"),
        (lambda p: nt.clip_grad_value_(p, -1), ValueError, "expected clip_value >= 0, got -1"),
        (lambda _: nt.clip_grad_value_(_read_only(), 1), ValueError, "gradients that are writable arrays"),
    ],
)
def test_what_cannot_be_clipped_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(parameters(np.dtype("float32"))[0])


def trained(optimizer, options, fused, dtype, batch, **clipping):
    x, target = normal((70, 13), dtype, 1), 3 * normal((70, 5), dtype, 2)
    model = nt.Sequential(
        nt.Linear(13, 17, dtype=dtype, rng=3),
        nt.ReLU(),
        nt.Linear(17, 9, bias=False, dtype=dtype, rng=4),
        nt.ReLU(),
        nt.Linear(9, 5, dtype=dtype, rng=5),
    )
    groups = [{"params": model.parameters()[:3]}, {"params": model.parameters()[3:], "lr": 0.01}]
    optimizer = getattr(nt, optimizer)(groups, **options)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer, **clipping)
    assert trainer.fused
    if not fused:
        trainer._stepper.engine = None
    losses = trainer.fit(x, target, epochs=3, batch_size=batch, rng=5).loss
    losses.append(trainer.step(x, target))
    states = [s for all_ in optimizer.states() for s in all_ if s is not None]
    return losses, [p.data for p in model.parameters()] + states


LIMITS = [{"clip_grad_norm": 0.3}, {"clip_grad_value": 0.02}, {"clip_grad_norm": 1e6}]


@pytest.mark.parametrize("clipping", LIMITS)
@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("SGD", {"lr": 0.1}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
        ("AdamW", {"lr": 0.01, "maximize": True}),
        ("RMSprop", {"lr": 0.01, "centered": True}),
        ("Adagrad", {"lr": 0.01}),
    ],
    ids=str,
)
def test_fused_clipping_equals_layer_by_layer(isa, dtype, threads, optimizer, options, clipping):
    nt.set_num_threads(1)
    losses, arrays = trained(optimizer, options, False, dtype, 16, **clipping)
    for count in (1, 2, 3):
        nt.set_num_threads(count)
        again, found = trained(optimizer, options, True, dtype, 16, **clipping)
        assert again == losses
        assert all(map(same_bits, found, arrays))
    free, _ = trained(optimizer, options, True, dtype, 16)
    assert (free == losses) == (clipping == {"clip_grad_norm": 1e6})


@pytest.mark.parametrize("clipping", [{"clip_grad_norm": 0.05}, {"clip_grad_value": 1e-3}])
def test_large_batches_in_blocks_are_clipped_as_one(isa, dtype, threads, clipping):
    """2,000 samples of a net that is wide enough for blocks, which keep their gradients either way."""
    x, target = normal((2000, 70), dtype, 1), normal((2000, 3), dtype, 2)

    def step(fused):
        model = nt.Sequential(
            nt.Linear(70, 130, dtype=dtype, rng=3), nt.ReLU(), nt.Linear(130, 3, dtype=dtype, rng=4)
        )
        optimizer = nt.SGD(model.parameters(), lr=0.1, momentum=0.9)
        trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer, **clipping)
        if not fused:
            trainer._stepper.engine = None
        losses = [trainer.step(x, target), trainer.step(x[:7], target[:7]), trainer.step(x, target)]
        return [*losses, *(p.data for p in model.parameters())]

    expected = step(False)
    for count in (1, 2):
        nt.set_num_threads(count)
        assert all(map(same_bits, step(True), expected))


@pytest.mark.parametrize("clipping", [{"clip_grad_norm": 0.1}, {"clip_grad_value": 0.01}])
def test_every_layer_that_learns_is_clipped(isa, dtype, threads, clipping):
    x, target = normal((20, 6), dtype, 1), 3 * normal((20, 3), dtype, 2)

    def step(fused):
        model = nt.Sequential(
            nt.LayerNorm(6, dtype=dtype),
            nt.Residual(nt.Linear(6, 6, dtype=dtype, rng=0), nt.ReLU()),
            nt.BatchNorm1d(6, dtype=dtype),
            nt.Linear(6, 3, dtype=dtype, rng=1),
        )
        optimizer = nt.Adam(model.parameters(), lr=0.1)
        trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer, **clipping)
        assert trainer.fused
        if not fused:
            trainer._stepper.engine = None
        losses = [trainer.step(x, target) for _ in range(3)]
        return [*losses, *(p.data for p in model.parameters())]

    expected = step(False)
    for count in (1, 2):
        nt.set_num_threads(count)
        assert all(map(same_bits, step(True), expected))


@pytest.mark.parametrize("clipping", ["norm", "value"])
def test_clipped_training_is_that_of_torch(dtype, clipping):
    """Ten steps of clip and SGD on a linear model, whose roundings do not grow: 1,000 of each number."""
    x, target = normal((32, 5), dtype, 1), 10 * normal((32, 2), dtype, 2)
    model = nt.Sequential(nt.Linear(5, 2, dtype=dtype, rng=0))
    twin_model = torch.nn.Linear(5, 2, dtype=getattr(torch, dtype.name))
    twin_model.load_state_dict({"weight": torch.tensor(model[0].weight), "bias": torch.tensor(model[0].bias)})
    theirs = torch.optim.SGD(twin_model.parameters(), lr=0.1, momentum=0.5)
    ours = nt.SGD(model.parameters(), lr=0.1, momentum=0.5)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=ours, **{f"clip_grad_{clipping}": 0.5})
    assert trainer.fused
    clip = getattr(torch.nn.utils, f"clip_grad_{clipping}_")
    for _ in range(10):
        trainer.step(x, target)
        theirs.zero_grad()
        torch.nn.functional.mse_loss(twin_model(torch.tensor(x)), torch.tensor(target)).backward()
        clip(twin_model.parameters(), 0.5)
        theirs.step()
    tolerance = 1000 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(model[0].weight, twin_model.weight.detach().numpy(), rtol=0, atol=tolerance)


def test_gradients_that_are_not_finite_are_clipped_alike(threads):
    x, target = normal((8, 4), "float32"), normal((8, 2), "float32", 1)
    x[3, 2] = np.inf
    found = []
    for fused in (True, False):
        model = nt.Sequential(nt.Linear(4, 2, rng=0))
        optimizer = nt.SGD(model.parameters(), lr=0.1)
        trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer, clip_grad_norm=1.0)
        if not fused:
            trainer._stepper.engine = None
        trainer.step(x, target)
        found.append(model[0].weight)
    assert np.isnan(found[0]).any()
    assert same_bits(*found)


@pytest.mark.parametrize(
    ("clipping", "error", "message"),
    [
        ({"clip_grad_norm": 1, "clip_grad_value": 1}, ValueError, "clip_grad_norm or clip_grad_value, got"),
        ({"clip_grad_norm": 0}, ValueError, "expected clip_grad_norm above 0"),
        ({"clip_grad_value": 1e-50}, ValueError, "expected clip_grad_value above 0, of float32's range"),
        ({"clip_grad_value": "1"}, TypeError, "Trainer: expected clip_grad_value"),
    ],
)
def test_trainers_that_cannot_clip_are_refused(clipping, error, message):
    model = nt.Sequential(nt.Linear(2, 2))
    with pytest.raises(error, match=message):
        nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters()), **clipping)
    with pytest.raises(ValueError, match="expected no clipping with LBFGS"):
        nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.LBFGS(model.parameters()), clip_grad_norm=1)
