"""L-BFGS: the optimum of a quadratic, torch's on a small net, and calls that fail without a trace."""

import builtins

import ne_torch as nt
import numpy as np
import pytest
import torch

from samples import normal, same_bits


def linear_problem(dtype):
    """Return x, target and the weights (bias last) that make the mean squared error least."""
    x, target = normal((40, 5), dtype), normal((40, 2), dtype, 1)
    design = np.hstack([x, np.ones((40, 1))]).astype("float64")
    return x, target, np.linalg.lstsq(design, target.astype("float64"), rcond=None)[0].T


def trainer_of(model, **options):
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.LBFGS(model.parameters(), **options))


def test_least_squares_reach_their_optimum(dtype):
    """A loss near 1, known to 40 eps, ends sqrt(2 40 eps / h) from its optimum, h the least curvature."""
    x, target, optimum = linear_problem(dtype)
    model = nt.Sequential(nt.Linear(5, 2, dtype=dtype, rng=0))
    trainer = trainer_of(model, max_iter=200, tolerance_change=0.0, tolerance_grad=1e-12)
    assert not trainer.fused
    trainer.fit(x, target, batch_size=40)
    found = np.column_stack([model[0].weight, model[0].bias])
    design = np.hstack([x, np.ones((40, 1))]).astype("float64")
    least = np.linalg.eigvalsh(design.T @ design)[0] * 2 / target.size
    np.testing.assert_allclose(found, optimum, atol=np.sqrt(80 * np.finfo(dtype).eps / least), rtol=0)


def test_step_with_a_closure_returns_the_loss_before():
    x, target, optimum = linear_problem("float64")
    model, loss = nt.Linear(5, 2, dtype="float64", rng=0), nt.MSELoss()
    solver = nt.LBFGS(model.parameters(), max_iter=100)

    def closure():
        value = loss.forward(model(x), target)
        model.backward(loss.backward())
        return value

    before = closure()
    assert solver.step(closure) == before
    assert closure() < before
    assert 0 < solver.steps <= 100
    assert solver.message
    np.testing.assert_allclose(np.column_stack([model.weight, model.bias]), optimum, atol=1e-3)


def test_a_small_net_gets_as_far_as_by_torch():
    x = np.linspace(-1, 1, 64)[:, None]
    target = np.sin(4 * x)
    model = nt.Sequential(
        nt.Linear(1, 16, dtype="float64", rng=0), nt.ReLU(), nt.Linear(16, 1, dtype="float64", rng=1)
    )
    twin = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)).double()
    twin.load_state_dict({name: torch.from_numpy(value) for name, value in model.state_dict().items()})
    theirs = torch.optim.LBFGS(twin.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        theirs.zero_grad()
        value = torch.nn.functional.mse_loss(twin(torch.from_numpy(x)), torch.from_numpy(target))
        value.backward()
        return value

    first = theirs.step(closure).item()
    trainer = trainer_of(model, max_iter=200)
    history = trainer.fit(x, target, batch_size=64)
    assert history.loss[0] == pytest.approx(first)
    # different line searches find different minima: both have to leave the beginning far behind
    assert trainer.evaluate(x, target) < 0.05 * first
    assert closure().item() < 0.05 * first


def test_every_epoch_goes_on(dtype):
    x, target, _ = linear_problem(dtype)
    model = nt.Sequential(nt.Linear(5, 2, dtype=dtype, rng=0))
    history = trainer_of(model, max_iter=2).fit(x, target, epochs=3, batch_size=40, shuffle=False)
    assert history.loss[0] > history.loss[1] > history.loss[2]


def test_interrupt_or_failure_changes_no_parameter():
    x, target, _ = linear_problem("float64")
    model, loss = nt.Linear(5, 2, dtype="float64", rng=0), nt.MSELoss()
    solver = nt.LBFGS(model.parameters())
    before, calls = model.state_dict(), []

    def closure(fail):
        calls.append(None)
        value = loss.forward(model(x), target)
        model.backward(loss.backward())
        return fail() if len(calls) % 3 == 0 else value

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solver.step(lambda: closure(interrupt))
    with pytest.raises(RuntimeError, match=r"LBFGS.step: expected a finite loss, got nan"):
        solver.step(lambda: closure(lambda: np.nan))
    assert all(same_bits(value, before[name]) for name, value in model.state_dict().items())
    assert solver.steps == 0
    solver.zero_grad()
    with pytest.raises(RuntimeError, match="expected a gradient of every parameter"):
        solver.step(lambda: 1.0)


def test_parts_of_a_batch_are_refused():
    x, target, _ = linear_problem("float32")
    trainer = trainer_of(nt.Sequential(nt.Linear(5, 2)))
    with pytest.raises(ValueError, match="expected batch_size=40 or more, all rows, for LBFGS, got 8"):
        trainer.fit(x, target, batch_size=8)


def test_missing_scipy_is_said_with_its_extra(monkeypatch):
    imported = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("scipy"):
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"LBFGS: needs SciPy; pip install 'ne_torch\[scipy\]'"):
        nt.LBFGS(nt.Linear(1, 1).parameters())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_iter": 0}, ValueError, "LBFGS: expected max_iter"),
        ({"max_eval": 0}, ValueError, "LBFGS: expected max_eval"),
        ({"tolerance_grad": np.nan}, ValueError, "LBFGS: expected tolerance_grad"),
        ({"history_size": 1.5}, TypeError, "LBFGS: expected history_size"),
    ],
)
def test_options_that_cannot_be_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        nt.LBFGS(nt.Linear(1, 1).parameters(), **options)


def test_groups_are_refused():
    groups = [{"params": nt.Linear(1, 1).parameters()} for _ in range(2)]
    with pytest.raises(ValueError, match="LBFGS: expected one group of parameters, got 2"):
        nt.LBFGS(groups)
