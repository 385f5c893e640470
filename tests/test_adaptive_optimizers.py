"""Adam, AdamW, RMSprop and Adagrad against torch's; the twin holds their bits (test_twin.py)."""

import copy
import pickle

import ne_torch as nt
import numpy as np
import pytest
import torch

import reference
from samples import normal, same_bits

CASES = [
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.9)}),
    ("Adam", {"lr": 0.1, "eps": 1e-2, "weight_decay": 0.03}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    ("Adam", {"betas": (0.0, 0.0), "eps": 1e-3}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.9, "eps": 1e-2}),
    ("RMSprop", {"weight_decay": 0.03, "momentum": 0.9}),
    ("RMSprop", {"alpha": 0.9, "centered": True, "maximize": True}),
    ("RMSprop", {"alpha": 0.9, "centered": True, "momentum": 0.5, "weight_decay": 0.03}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.03}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-2, "maximize": True}),
]
IDS = [f"{name}-{options}" for name, options in CASES]
STEPS = 10


def divisor(optimizer):
    """Return what the mean gradient has been divided by in the last step, and lr with its corrections."""
    (states,) = ([None if s is None else s.astype("float64") for s in all_] for all_ in optimizer.states())
    if isinstance(optimizer, nt.Adam):
        second = states[2] if optimizer.amsgrad else states[1]
        root = np.sqrt(second / (1 - optimizer.beta2**optimizer.steps))
        return root + optimizer.eps, optimizer.lr / (1 - optimizer.beta1**optimizer.steps)
    if isinstance(optimizer, nt.RMSprop):
        second = states[0] - states[2] ** 2 if optimizer.centered else states[0]
        return np.sqrt(second) + optimizer.eps, optimizer.lr / (1 - optimizer.momentum)
    return np.sqrt(states[0]) + optimizer.eps, optimizer.lr


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_ten_steps_agree_with_torch(isa, dtype, name, options):
    """Ours and torch's differ by roundings alone.

    In step n a running mean has gone through at most 4 n of them, relative to the largest |g| so far, G; the
    root, the quotient and the product add 8, relative to G / divisor; both sides, half an eps each. The sum
    with the parameter adds one eps of it.
    """
    eps = np.finfo(dtype).eps
    start = normal((7, 9), dtype)
    parameter, leaf = nt.Parameter(start.copy()), torch.tensor(start, requires_grad=True)
    ours = getattr(nt, name)([parameter], **options)
    theirs = getattr(torch.optim, name)([leaf], **options, foreach=False)
    tolerance, largest = np.zeros((7, 9)), np.zeros((7, 9))
    for step in range(1, STEPS + 1):
        grad = normal((7, 9), dtype, step)
        parameter.grad, leaf.grad = grad.copy(), torch.tensor(grad)
        before = parameter.data.astype("float64")
        ours.step()
        theirs.step()
        largest = np.maximum(largest, np.abs(grad) + ours.weight_decay * np.abs(before))
        divided_by, rate = divisor(ours)
        tolerance += eps * (4 * step + 8) * rate * largest / divided_by + eps * np.abs(before)
        reference.assert_within(parameter.data, leaf.detach().numpy(), tolerance)
        assert same_bits(parameter.grad, grad)
    assert np.abs(parameter.data - start).max() > 0.001  # they went somewhere


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_fused_training_equals_layer_by_layer(name, options, isa, dtype):
    x, target = normal((33, 13), dtype, 1), normal((33, 5), dtype, 2)

    def trained(fused, threads):
        nt.set_num_threads(threads)
        model = nt.Sequential(
            nt.Linear(13, 17, dtype=dtype, rng=3), nt.ReLU(), nt.Linear(17, 5, dtype=dtype, rng=4)
        )
        optimizer = getattr(nt, name)(model.parameters(), **options)
        trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer)
        assert trainer.fused
        if not fused:
            trainer._stepper.engine = None
        losses = trainer.fit(x, target, epochs=3, batch_size=8, rng=5).loss
        losses.append(trainer.step(x, target))
        assert optimizer.steps == 16
        states = [s for all_ in optimizer.states() for s in all_ if s is not None]
        return losses, [p.data for p in model.parameters()] + states

    before = nt.get_num_threads()
    try:
        losses, arrays = trained(fused=False, threads=1)
        for threads in (1, 2):
            again, found = trained(fused=True, threads=threads)
            assert again == losses
            assert all(map(same_bits, found, arrays))
    finally:
        nt.set_num_threads(before)


def _trainer(name, **options):
    model = nt.Sequential(nt.Linear(4, 6, rng=0), nt.ReLU(), nt.Linear(6, 2, rng=1))
    optimizer = getattr(nt, name)(model.parameters(), **options)
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer)


def _arrays(trainer):
    states = [s for all_ in trainer.optimizer.states() for s in all_ if s is not None]
    return [*(p.data for p in trainer.model.parameters()), *states]


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "Adagrad", "SGD"])
def test_saved_training_goes_on_to_the_same_bits(name, tmp_path):
    x, target = normal((40, 4), "float32"), normal((40, 2), "float32", 1)
    arguments = {"epochs": 5, "batch_size": 8, "rng": 2}
    whole, first, second = (_trainer(name, lr=0.01) for _ in range(3))
    whole.fit(x, target, **arguments)
    first.fit(x, target, **arguments, max_steps=13)
    first.save(tmp_path / "trainer.safetensors")
    second.load(tmp_path / "trainer.safetensors")
    second.fit(x, target, epochs=5, batch_size=8, resume=True)
    assert second.optimizer.steps == 25
    assert all(map(same_bits, _arrays(second), _arrays(whole)))


def test_file_of_another_optimizer_is_refused(tmp_path):
    trainer = _trainer("Adam")
    trainer.save(tmp_path / "trainer.safetensors")
    other = _trainer("SGD")
    before = other.model.state_dict()
    with pytest.raises(ValueError, match="expected the optimizer Adam, got SGD"):
        other.load(tmp_path / "trainer.safetensors")
    assert all(same_bits(before[name], value) for name, value in other.model.state_dict().items())


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "Adagrad"])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copy_goes_on_as_the_original_does(name, copied):
    x, target = normal((8, 4), "float32"), normal((8, 2), "float32", 1)
    trainer = _trainer(name)
    trainer.step(x, target)
    twin = copied(trainer)
    for each in (trainer, twin):
        each.step(x, target)
    assert twin.optimizer.steps == 2
    assert all(map(same_bits, _arrays(twin), _arrays(trainer)))


def test_amsgrad_may_be_turned_on_in_training():
    x, target = normal((8, 4), "float32"), normal((8, 2), "float32", 1)
    fused, layered = _trainer("Adam"), _trainer("Adam")
    layered._engine = None
    for trainer in (fused, layered):
        trainer.step(x, target)
        trainer.optimizer.amsgrad = True
    fused.step(x, target)
    layered._engine = None
    layered.step(x, target)
    assert len(_arrays(fused)) == 16
    assert all(map(same_bits, _arrays(fused), _arrays(layered)))


def test_betas_are_a_pair_below_one():
    parameter = nt.Parameter(np.ones(1))
    adam = nt.Adam([parameter], betas=(0.5, 0.75))
    assert adam.betas == (0.5, 0.75)
    adam.betas = (0.25, 0.5)
    assert (adam.beta1, adam.beta2) == (0.25, 0.5)
    with pytest.raises(ValueError, match=r"Adam: expected beta2 < 1.0, got 1"):
        adam.betas = (0.5, 1)
    assert adam.betas == (0.25, 0.5)
    with pytest.raises(TypeError, match="AdamW: expected betas as a pair of numbers"):
        nt.AdamW([parameter], betas=0.9)
    with pytest.raises(ValueError, match="Adam: expected beta1 >= 0, got -1"):
        nt.Adam([parameter], betas=(-1, 0.9))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: nt.Adam(p, eps=-1.0), "Adam: expected eps >= 0"),
        (lambda p: nt.RMSprop(p, alpha=float("nan")), "RMSprop: expected alpha"),
        (lambda p: nt.Adagrad(p, lr_decay=-1), "Adagrad: expected lr_decay >= 0"),
        (
            lambda p: nt.Adagrad(p, initial_accumulator_value=-1),
            "Adagrad: expected initial_accumulator_value",
        ),
        (lambda p: nt.AdamW(p, weight_decay=-1), "AdamW: expected weight_decay >= 0"),
        (lambda p: nt.SGD(p, momentum=0.9, dampening=0.1, nesterov=True), "SGD: expected dampening 0"),
        (lambda _: nt.Adam([]), "Adam: expected at least one parameter"),
    ],
)
def test_hyperparameters_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make([nt.Parameter(np.ones(1))])
