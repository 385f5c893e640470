"""Wrong calls of Trainer, and steps that cannot be made whole: clear errors that change no parameter."""

import ne_torch as nt
import pytest

from bench import assert_refused, table, zeros
from samples import normal, same_bits

# (call, exception, what the message says, ...)
STEPS = [
    (lambda b: b.trainer.step(zeros(2, 5), b.target), ValueError, "of shape (..., 4), got (2, 5)"),
    (lambda b: b.trainer.step(b.x, zeros(2, 4)), ValueError, "expected target of shape (2, 3)", "got (2, 4)"),
    (lambda b: b.trainer.step(b.x, zeros(2)), ValueError, "expected target of shape (2, 3)", "got (2,)"),
    (lambda b: b.trainer.step(b.x, zeros(1, 3)), ValueError, "expected target of shape (2, 3)", "got (1, 3)"),
    (lambda b: b.trainer.step(zeros(2, 4, dtype=int), b.target), TypeError, "float32, got int64", "astype"),
    (
        lambda b: b.trainer.step(b.x, zeros(2, 3, dtype="float64")),
        TypeError,
        "float32, got float64",
        "astype",
    ),
    (lambda b: b.trainer.step(zeros(0, 4), zeros(0, 3)), ValueError, "expected at least one row, got none"),
]


def fit(x=None, target=None, **options):
    return lambda b: b.trainer.fit(b.x if x is None else x, b.target if target is None else target, **options)


ROWS = "Trainer.fit: expected x and target with the same number of rows"
FITS = [
    (fit(epochs=0), ValueError, "Trainer.fit: expected epochs as a positive integer, got 0"),
    (fit(epochs=-1), ValueError, "Trainer.fit: expected epochs as a positive integer, got -1"),
    (fit(epochs=1.5), TypeError, "Trainer.fit: expected epochs as a positive integer, got 1.5"),
    (fit(epochs=True), TypeError, "Trainer.fit: expected epochs as a positive integer, got True"),
    (fit(batch_size=0), ValueError, "Trainer.fit: expected batch_size as a positive integer, got 0"),
    (fit(batch_size="8"), TypeError, "Trainer.fit: expected batch_size as a positive integer, got '8'"),
    (fit(target=zeros(3, 3)), ValueError, ROWS, "got shapes (2, 4) and (3, 3)"),
    (fit(x=zeros()), ValueError, ROWS, "got shapes () and (2, 3)"),
    (fit(x=zeros(0, 4), target=zeros(0, 3)), ValueError, "Trainer.fit: expected at least one row, got none"),
    (fit(x=zeros(2, 5)), ValueError, "of shape (..., 4), got (2, 5)"),
    (fit(target=zeros(2, 2)), ValueError, "expected target of shape (2, 3)", "got (2, 2)"),
    (fit(x=zeros(2, 4, dtype=int)), TypeError, "float32, got int64", "astype"),
    (fit(target=zeros(2, 3, dtype="float64")), TypeError, "float32, got float64", "astype"),
    (fit(rng="seed"), TypeError, "expected rng as an integer, a Generator or None, got 'seed'"),
    (fit(callbacks=3), TypeError, "not iterable"),
    (
        lambda b: b.trainer.evaluate(zeros(2, 4), zeros(3, 3)),
        ValueError,
        "Trainer.evaluate: expected x and target",
    ),
    (
        lambda b: b.trainer.evaluate(zeros(0, 4), zeros(0, 3)),
        ValueError,
        "Trainer.evaluate: expected at least one",
    ),
    (fit(validation_data=(zeros(2, 4), zeros(3, 3))), ValueError, "number of rows", "(2, 4) and (3, 3)"),
    (fit(callbacks=[3]), TypeError, "callable"),
]


@pytest.mark.parametrize(("call", "error", "says"), table(STEPS, FITS))
def test_wrong_training_is_refused(call, error, says):
    assert_refused(call, error, *says)


def assert_parameters_kept(prepare, call, error, match):
    """Assert that the call fails on a model in the middle of its work, and changes no parameter of it."""
    model, x = nt.Sequential(nt.Linear(3, 3, rng=0), nt.Linear(3, 3, rng=1)), normal((2, 3), "float32")
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    model.backward(model(x))
    prepare(trainer)
    before = model.state_dict()
    with pytest.raises(error, match=match):
        call(trainer, x)
    assert all(same_bits(array, before[name]) for name, array in model.state_dict().items())


def step_model(trainer, x):
    trainer.model.step(trainer.optimizer.lr)


def step_optimizer(trainer, x):
    trainer.optimizer.step()


def step_trainer(trainer, x):
    trainer.step(x, x)


def load_state(trainer, x):
    state = trainer.model.state_dict()
    trainer.model.load_state_dict({name: array + 1 for name, array in state.items()})


@pytest.mark.parametrize("call", [step_model, step_optimizer, step_trainer, load_state])
def test_read_only_parameter_is_refused_before_anything_changes(call):
    def freeze(trainer):
        trainer.model[1].weight.flags.writeable = False

    assert_parameters_kept(freeze, call, ValueError, "read-only|writable")


@pytest.mark.parametrize("call", [step_model, step_optimizer, step_trainer])
def test_learning_rate_beyond_the_dtype_is_refused(call):
    def raise_rate(trainer):
        trainer.optimizer.lr = 1e39  # infinite in float32

    assert_parameters_kept(raise_rate, call, ValueError, "float32")


def test_step_of_a_model_with_a_layer_without_gradient_is_refused():
    def append(trainer):
        trainer.model.append(nt.Linear(3, 3))

    assert_parameters_kept(append, step_model, RuntimeError, "expected backward before step")


def test_validation_data_of_the_wrong_shape_is_refused_before_training():
    def train(trainer, x):
        trainer.fit(x, x, validation_data=(x, zeros(2, 2)))

    says = r"expected target of shape \(\d, 3\).*got \(\d, 2\)"
    assert_parameters_kept(lambda _: None, train, ValueError, says)
