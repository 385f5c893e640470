"""Ctrl-C and exceptions during fit: the model stands at the last finished step, and trains on."""

import ne_torch as nt
import numpy as np
import pytest
from ne_torch.sklearn import MLPRegressor

from samples import normal

pytest.importorskip("safetensors")

ROWS, BATCH, EPOCHS = 4096, 32, 5
X, TARGET = normal((ROWS, 64), "float32", 3), normal((ROWS, 8), "float32", 4)  # before any interrupt


class OwnReLU(nt.Layer):
    """A layer that the engine does not know, so that its model is trained layer by layer."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, grad_output):
        return np.where(self.x > 0, grad_output, 0).astype(grad_output.dtype)


def make_trainer(own=False):
    between = OwnReLU() if own else nt.ReLU()
    model = nt.Sequential(nt.Linear(64, 100, rng=1), between, nt.Linear(100, 8, rng=2))
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.01, momentum=0.9))


def state(trainer):
    velocity = trainer.optimizer.state_dict()["velocity"]
    arrays = (*(p.data for p in trainer.model.parameters()), *velocity)
    return [None if array is None or not array.any() else array.tobytes() for array in arrays]


def fit(trainer, **options):
    return trainer.fit(X, TARGET, batch_size=BATCH, rng=5, **{"epochs": EPOCHS, **options})


@pytest.mark.parametrize("own", [False, True], ids=["fused", "layers"])
@pytest.mark.parametrize("delay", [0.001, 0.02, 0.05, 0.1])
def test_keyboard_interrupt_leaves_the_last_finished_step(own, delay, keyboard):
    """What the place of fit says has been trained is what the parameters show."""
    trainer = make_trainer(own)
    with pytest.raises(KeyboardInterrupt), keyboard(delay):
        fit(trainer, epochs=10_000)
    place = trainer._state
    if place is None:  # before the first step
        assert state(trainer) == state(make_trainer(own))
        return
    steps = place.epoch * (ROWS // BATCH) + place.cursor[0] // BATCH
    again = make_trainer(own)
    if steps > 0:
        fit(again, epochs=10_000, max_steps=steps)
    assert state(again) == state(trainer)
    end = place.epoch + 2
    fit(trainer, resume=True, epochs=end)
    whole = make_trainer(own)
    fit(whole, epochs=end)
    assert state(trainer) == state(whole)


@pytest.mark.parametrize("own", [False, True], ids=["fused", "layers"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError, SystemExit])
def test_exception_in_a_callback_leaves_the_epoch(own, error):
    def stop(epoch, history):
        if epoch == 2:
            raise error("stop")

    trainer, expected = make_trainer(own), make_trainer(own)
    with pytest.raises(error):
        fit(trainer, callbacks=[stop])
    fit(expected, epochs=3)
    assert state(trainer) == state(expected)
    fit(trainer, resume=True)
    whole = make_trainer(own)
    fit(whole)
    assert state(trainer) == state(whole)


def test_keyboard_interrupt_in_prediction_leaves_the_model_usable(keyboard):
    model = make_trainer().model
    predictor, x = model.freeze(), normal((200_000, 64), "float32")
    expected = predictor(x)

    def predict_for_ever():
        while True:
            predictor(x)
            model(x)

    with pytest.raises(KeyboardInterrupt), keyboard(0.05):
        predict_for_ever()
    assert np.array_equal(predictor(x), expected)
    assert np.array_equal(model(x), expected)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_keyboard_interrupt_leaves_an_estimator_usable(solver, keyboard):
    """A warning, as scikit-learn has it; L-BFGS, whose fit is one step, raises it and is where it began."""
    options = {"solver": solver, "hidden_layer_sizes": (200,), "random_state": 0, "alpha": 0.0, "tol": 0.0}
    estimator = MLPRegressor(max_iter=100_000, n_iter_no_change=100_000, max_fun=10**9, **options)
    if solver == "lbfgs":
        with pytest.raises(KeyboardInterrupt), keyboard(0.3):
            estimator.fit(X, TARGET)
    else:
        with pytest.warns(UserWarning, match="interrupted by user"), keyboard(0.3):
            estimator.fit(X, TARGET)
    assert np.isfinite(estimator.predict(X)).all()
    found, whole = (e.set_params(max_iter=1).fit(X, TARGET) for e in (estimator, MLPRegressor(**options)))
    assert all(map(np.array_equal, found.coefs_, whole.coefs_))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_exception_in_a_callback_of_an_estimator_leaves_the_epoch():
    def stop(epoch, history):
        if epoch == 1:
            raise ValueError("stop")

    options = {"solver": "sgd", "hidden_layer_sizes": (9,), "random_state": 0, "batch_size": BATCH}
    found, whole = MLPRegressor(callbacks=[stop], **options), MLPRegressor(max_iter=2, **options)
    with pytest.raises(ValueError, match="stop"):
        found.fit(X, TARGET)
    whole.fit(X, TARGET)
    assert all(map(np.array_equal, found.coefs_, whole.coefs_))
    assert np.array_equal(found.predict(X), whole.predict(X))
