"""Nets that are large enough for a team: the bits of one thread, whichever of its layers share features."""

from __future__ import annotations

import ne_torch as nt
import numpy as np
import pytest

from samples import normal

IN, OUT = 210, 6


def linear(n, m, dtype):
    return nt.Linear(n, m, dtype=dtype, rng=n + m)


# Weights of 200 x 200 outnumber the values of 64 samples, and layers with them share features: each of them
# stands beside layers that share samples, of all kinds.
MODELS = {
    "wide, then narrow": lambda d: [
        linear(IN, 200, d),
        nt.ReLU(),
        linear(200, 7, d),
        nt.ReLU(),
        linear(7, OUT, d),
    ],
    "narrow, then wide": lambda d: [
        linear(IN, 9, d),
        nt.Tanh(),
        linear(9, 200, d),
        nt.ReLU(),
        linear(200, 201, d),
        nt.ReLU(),
        linear(201, OUT, d),
    ],
    "passes between": lambda d: [
        nt.Dropout(0.2, rng=1),
        linear(IN, 200, d),
        nt.LayerNorm(200, dtype=d),
        nt.GELU(),
        nt.Dropout(0.3, rng=2),
        linear(200, 220, d),
        nt.ReLU(),
        nt.BatchNorm1d(220, dtype=d),
        linear(220, OUT, d),
        nt.Softmax(),
    ],
    "residual": lambda d: [
        linear(IN, 200, d),
        nt.BatchNorm1d(200, dtype=d),
        nt.Residual(linear(200, 200, d), nt.ReLU(), linear(200, 200, d)),
        nt.Residual(nt.LayerNorm(200, dtype=d), nt.Residual(linear(200, 200, d)), nt.ReLU()),
        nt.ReLU(),
        linear(200, OUT, d),
    ],
}
ROWS = 131  # of which batches of 64 leave 3


def train(name, dtype, batch, threads):
    """Return the losses and the bits of all that is learned or counted, of steps and of epochs."""
    nt.set_num_threads(threads)
    model = nt.Sequential(*MODELS[name](dtype))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.Adam(model.parameters(), lr=0.01))
    x, target = normal((ROWS, IN), dtype, 1), normal((ROWS, OUT), dtype, 2)
    losses = [trainer.step(x[:batch], target[:batch]) for _ in range(3)]
    losses += trainer.fit(x, target, epochs=2, batch_size=batch, rng=3).loss
    assert trainer.fused
    arrays = [*model.state_dict().values(), *model.named_buffers().values()]
    return losses, [array.tobytes() for array in arrays]


@pytest.mark.parametrize("batch", [37, 64, 96])
@pytest.mark.parametrize("name", MODELS)
def test_any_team_gives_the_bits_of_one_thread(name, batch, dtype, threads):
    expected = train(name, dtype, batch, 1)
    assert np.isfinite(expected[0]).all()
    for team in (2, 3, 5):
        assert train(name, dtype, batch, team) == expected


def test_finding_out_whether_threads_pay_changes_no_bit(threads):
    """Steps of this length are tried with all threads, then with one, for some time each."""
    x, target = normal((2000, 64), "float32", 1), normal((2000, 10), "float32", 2)
    found = []
    for team in (1, 3):
        nt.set_num_threads(team)
        model = nt.Sequential(linear(64, 100, "float32"), nt.ReLU(), linear(100, 10, "float32"))
        trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.01))
        losses = [trainer.step(x[:200], target[:200]) for _ in range(500)]
        losses += trainer.fit(x, target, epochs=100, batch_size=200, rng=3).loss
        found.append((losses, [array.tobytes() for array in model.state_dict().values()]))
    assert found[0] == found[1]


def test_the_number_of_threads_may_change_with_a_smaller_batch(threads):
    """What is found out about larger batches stays beyond it, with room for as many threads as there are."""
    x, target = normal((200, 64), "float32", 1), normal((200, 10), "float32", 2)
    found = []
    for teams in ((1, 1, 1, 1), (5, 2, 1, 3), (2, 5, 3, 1)):
        model = nt.Sequential(linear(64, 100, "float32"), nt.ReLU(), linear(100, 10, "float32"))
        trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.01))
        losses = []
        for team, rows in zip(teams, (200, 150, 120, 200), strict=True):
            nt.set_num_threads(team)
            losses += [trainer.step(x[:rows], target[:rows]) for _ in range(2)]
        found.append((losses, [array.tobytes() for array in model.state_dict().values()]))
    assert found[0] == found[1] == found[2]


def test_whether_threads_pay_is_asked_again(native):
    native("trial")
