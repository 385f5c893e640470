"""EarlyStopping: when it stops, what it restores, and how it goes on after an interruption."""

import math

import ne_torch as nt
import numpy as np
import pytest
from ne_torch.callbacks import EarlyStopping
from ne_torch.callbacks.monitored import best_epoch, direction

from callback_runs import Scripted, fit, fused_and_by_layers, make_trainer, weights, weights_after
from samples import normal


@pytest.mark.parametrize(
    ("values", "sign", "delta", "expected"),
    [
        ([], 1, 0, None),
        ([3.0, 2.0, 2.0, 2.5], 1, 0, 1),
        ([3.0, 2.0, 1.9, 1.8], 1, 0.15, 3),
        ([3.0, 2.0, 1.9, 1.85], 1, 0.15, 1),
        ([0.1, 0.3, 0.2], -1, 0, 1),
        ([math.nan, 5.0, math.nan], 1, 0, 1),
        ([math.nan, math.nan], 1, 0, None),
        ([math.inf, 1.0], 1, 0, 1),
    ],
)
def test_best_epoch_is_the_last_improvement(values, sign, delta, expected):
    assert best_epoch(values, sign, delta) == expected


def test_direction_knows_common_names_and_asks_for_others():
    assert direction("auto", "validation_loss", "here") == 1
    assert direction("auto", "validation_mean_absolute_error", "here") == 1
    assert direction("auto", "validation_accuracy", "here") == -1
    assert direction("min", "validation_accuracy", "here") == 1
    with pytest.raises(ValueError, match='expected mode "min" or "max" for monitor=\'validation_skill\''):
        direction("auto", "validation_skill", "here")
    with pytest.raises(ValueError, match="got 'least'"):
        direction("least", "loss", "here")


@fused_and_by_layers
@pytest.mark.parametrize("restores", [True, False])
def test_early_stopping_stops_after_patience_and_restores(relu, restores):
    trainer = make_trainer(relu)
    stopping = EarlyStopping(patience=2, restore_best_weights=restores)
    history = fit(trainer, [Scripted([3.0, 2.0, 2.5, 2.1, 0.0, 0.0]), stopping])
    assert len(history) == 4
    assert (stopping.best_epoch, stopping.best, stopping.stopped_epoch) == (1, 2.0, 3)
    assert weights(trainer) == weights_after(relu, 2 if restores else 4)


@fused_and_by_layers
def test_early_stopping_restores_when_training_ends_by_itself(relu):
    trainer = make_trainer(relu)
    stopping = EarlyStopping(patience=5)
    fit(trainer, [Scripted([3.0, 2.0, 1.0, 4.0]), stopping], epochs=4)
    assert stopping.stopped_epoch is None
    assert weights(trainer) == weights_after(relu, 3)


@fused_and_by_layers
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_early_stopping_restores_when_interrupted_and_resumes_from_the_last_weights(relu, error):
    values = [3.0, 2.0, 4.0, 5.0, 6.0, 1.0]
    trainer = make_trainer(relu)
    with pytest.raises(error):
        fit(trainer, [Scripted(values, at=3, error=error), EarlyStopping(patience=9)])
    assert weights(trainer) == weights_after(relu, 2)
    assert len(fit(trainer, [Scripted(values), EarlyStopping(patience=9)], resume=True)) == 6
    assert weights(trainer) == weights_after(relu, 6)


@fused_and_by_layers
@pytest.mark.parametrize("steps", [1, 7, 10, 21, 28])
def test_early_stopping_resumes_to_the_same_bits(relu, steps):
    def callbacks():
        return [EarlyStopping(monitor="validation_loss", patience=100)]

    whole, parts = make_trainer(relu), make_trainer(relu)
    expected = fit(whole, callbacks())
    fit(parts, callbacks(), max_steps=steps)
    history = fit(parts, callbacks(), resume=True)
    assert history.validation_loss == expected.validation_loss
    assert weights(parts) == weights(whole)


@pytest.mark.parametrize("steps", [10, 28, 35])
def test_early_stopping_resumes_from_a_file(tmp_path, steps):
    """Both the best weights, which the file shows, and the last ones, which training goes on from."""
    whole, first, second = make_trainer(), make_trainer(), make_trainer()
    expected = fit(whole, [EarlyStopping()])
    fit(first, [EarlyStopping()], max_steps=steps)
    first.save(tmp_path / "run.safetensors")
    second.load(tmp_path / "run.safetensors")
    assert weights(second) == weights(first)
    history = fit(second, [EarlyStopping()], resume=True)
    assert history.loss == expected.loss
    assert weights(second) == weights(whole)


def test_early_stopping_counts_on_after_a_resumption():
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    trainer = make_trainer()
    fit(trainer, [Scripted(values), EarlyStopping(patience=4)], epochs=3)
    history = fit(trainer, [Scripted(values), EarlyStopping(patience=4)], resume=True)
    assert len(history) == 5


def test_early_stopping_begins_anew_with_a_new_training():
    stopping = EarlyStopping(patience=2)
    trainer = make_trainer()
    fit(trainer, [Scripted([0.0] * 6), stopping])
    history = fit(trainer, [Scripted([6.0, 5.0, 4.0, 3.0, 2.0, 1.0]), stopping])
    assert (len(history), stopping.best_epoch) == (6, 5)


@fused_and_by_layers
def test_a_training_with_no_epoch_left_forgets_nothing(relu, tmp_path):
    trainer, stopping = make_trainer(relu), EarlyStopping()
    fit(trainer, [Scripted([3.0, 1.0, 2.0, 4.0]), stopping], epochs=4)
    trainer.save(tmp_path / "ended")
    loaded = make_trainer(relu)
    loaded.load(tmp_path / "ended")
    for resumed, again in ((trainer, stopping), (trainer, EarlyStopping()), (loaded, EarlyStopping())):
        fit(resumed, [Scripted([]), again], epochs=4, resume=True)
        assert (again.best_epoch, again.best, again.stopped_epoch) == (1, 1.0, None)
        assert weights(resumed) == weights_after(relu, 2)


def test_early_stopping_on_a_metric():
    trainer = make_trainer()
    stopping = EarlyStopping("validation_r2", patience=1)
    history = fit(trainer, [stopping], metrics=["r2"], epochs=30)
    best = int(np.argmax(history.metrics["r2"]))
    assert stopping.best_epoch == best
    assert stopping.best == history.validation_r2[best]


def test_early_stopping_needs_a_model_that_it_can_restore():
    class Bare:
        def forward(self, x):
            return x

        backward = forward

    class Nothing:
        def step(self):
            pass

    trainer = nt.Trainer(Bare(), loss=nt.MSELoss(), optimizer=Nothing())
    x = normal((4, 2), "float32")
    with pytest.raises(TypeError, match="expected a model with load_state_dict to restore, got Bare"):
        trainer.fit(x, x, callbacks=[EarlyStopping("loss")])
    trainer.fit(x, x, callbacks=[EarlyStopping("loss", restore_best_weights=False)])
