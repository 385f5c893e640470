"""ne_torch.callbacks: early stopping, checkpoints, tables, and what a callback of one's own is told."""

import csv
import math

import ne_torch as nt
import numpy as np
import pytest
from ne_torch.callbacks import Callback, CSVLogger, EarlyStopping, ModelCheckpoint
from ne_torch.callbacks.monitored import best_epoch, direction

from samples import normal
from test_trainer_fused import TheirReLU

ROWS, BATCH = 50, 8


@pytest.fixture(params=[nt.ReLU, TheirReLU], ids=["fused", "layers"])
def relu(request):
    return request.param


def make_trainer(relu=nt.ReLU, lr=0.05):
    model = nt.Sequential(nt.Linear(6, 9, rng=1), relu(), nt.Linear(9, 3, rng=2))
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=lr, momentum=0.9))


def fit(trainer, callbacks, **options):
    x, target = normal((ROWS, 6), "float32", 3), normal((ROWS, 3), "float32", 4)
    validation = normal((20, 6), "float32", 5), normal((20, 3), "float32", 6)
    options = {"epochs": 6, "batch_size": BATCH, "rng": 5, "validation_data": validation, **options}
    return trainer.fit(x, target, callbacks=callbacks, **options)


def weights(trainer):
    return [parameter.data.tobytes() for parameter in trainer.model.parameters()]


def weights_after(relu, epochs):
    trainer = make_trainer(relu)
    fit(trainer, [], epochs=epochs)
    return weights(trainer)


class Scripted(Callback):
    """Writes numbers of its own into the history, so that the best epoch is known."""

    def __init__(self, values, at=None, error=None):
        self.values, self.at, self.error = values, at, error

    def epoch_end(self, trainer, epoch, history):
        history.validation_loss[epoch] = self.values[epoch]
        if epoch == self.at:
            raise self.error("stop")


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


@pytest.mark.parametrize("restores", [True, False])
def test_early_stopping_stops_after_patience_and_restores(relu, restores):
    trainer = make_trainer(relu)
    stopping = EarlyStopping(patience=2, restore_best_weights=restores)
    history = fit(trainer, [Scripted([3.0, 2.0, 2.5, 2.1, 0.0, 0.0]), stopping])
    assert len(history) == 4
    assert (stopping.best_epoch, stopping.best, stopping.stopped_epoch) == (1, 2.0, 3)
    assert weights(trainer) == weights_after(relu, 2 if restores else 4)


def test_early_stopping_restores_when_training_ends_by_itself(relu):
    trainer = make_trainer(relu)
    stopping = EarlyStopping(patience=5)
    fit(trainer, [Scripted([3.0, 2.0, 1.0, 4.0]), stopping], epochs=4)
    assert stopping.stopped_epoch is None
    assert weights(trainer) == weights_after(relu, 3)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_early_stopping_restores_when_interrupted_and_resumes_from_the_last_weights(relu, error):
    values = [3.0, 2.0, 4.0, 5.0, 6.0, 1.0]
    trainer = make_trainer(relu)
    with pytest.raises(error):
        fit(trainer, [Scripted(values, at=3, error=error), EarlyStopping(patience=9)])
    assert weights(trainer) == weights_after(relu, 2)
    assert len(fit(trainer, [Scripted(values), EarlyStopping(patience=9)], resume=True)) == 6
    assert weights(trainer) == weights_after(relu, 6)


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


def test_early_stopping_on_a_metric():
    trainer = make_trainer()
    stopping = EarlyStopping("validation_r2", patience=1)
    history = fit(trainer, [stopping], metrics=["r2"], epochs=30)
    best = int(np.argmax(history.metrics["r2"]))
    assert stopping.best_epoch == best
    assert stopping.best == history.validation_r2[best]


def test_monitoring_what_is_not_recorded_is_refused_before_training(tmp_path):
    trainer = make_trainer()
    before = weights(trainer)
    with pytest.raises(ValueError, match=r"EarlyStopping to monitor one of .*'validation_accuracy'"):
        fit(trainer, [EarlyStopping("validation_accuracy")])
    with pytest.raises(ValueError, match="pass validation_data"):
        fit(trainer, [EarlyStopping()], validation_data=None)
    with pytest.raises(ValueError, match="ModelCheckpoint to monitor"):
        fit(trainer, [ModelCheckpoint("a", save_best_only=True)], validation_data=None)
    assert weights(trainer) == before


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: EarlyStopping(patience=0), ValueError, "expected patience as a positive integer, got 0"),
        (lambda: EarlyStopping(min_delta=-1), ValueError, "expected min_delta of at least 0, got -1"),
        (lambda: EarlyStopping(min_delta="x"), TypeError, "expected min_delta as a number"),
        (lambda: EarlyStopping(mode="best"), ValueError, "got 'best'"),
        (lambda: ModelCheckpoint("a", every=0), ValueError, "expected every as a positive integer"),
        (lambda: ModelCheckpoint(3), TypeError, "PathLike"),
        (lambda: make_trainer().fit([[1.0]], [[1.0]], callbacks=[EarlyStopping]), TypeError, "callable"),
    ],
)
def test_wrong_arguments_of_callbacks_are_refused(make, error, says):
    with pytest.raises(error, match=says):
        make()


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


def test_model_checkpoint_of_every_epoch_resumes_to_the_same_bits(relu, tmp_path):
    whole = make_trainer(relu)
    expected = fit(whole, [ModelCheckpoint(tmp_path / "run-{epoch}.safetensors")])
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"run-{i}.safetensors" for i in range(6)]
    for epoch in range(6):
        trainer, told = make_trainer(relu, lr=1.0), []
        trainer.load(tmp_path / f"run-{epoch}.safetensors")
        assert weights(trainer) == weights_after(relu, epoch + 1)
        history = fit(trainer, [lambda *args, told=told: told.append(args[0])], resume=True)
        assert told == list(range(epoch + 1, 6))  # no epoch is told twice
        assert weights(trainer) == weights(whole)
        assert history.loss == expected.loss
        assert history.validation_loss == expected.validation_loss


def test_model_checkpoint_names_files_by_the_history(tmp_path):
    save = ModelCheckpoint(tmp_path / "{epoch:02d}-{validation_loss:.3f}-{loss:.3f}.safetensors", every=3)
    history = fit(make_trainer(), [save])
    expected = [f"{i:02d}-{history.validation_loss[i]:.3f}-{history.loss[i]:.3f}.safetensors" for i in (2, 5)]
    assert sorted(path.name for path in tmp_path.iterdir()) == expected


@pytest.mark.parametrize(("every", "expected"), [(1, [0, 2, 4]), (2, [1, 3])])
def test_model_checkpoint_keeps_the_best(tmp_path, every, expected):
    values = [5.0, 6.0, 4.0, 4.5, 1.0, 7.0]
    save = ModelCheckpoint(tmp_path / "{epoch}.safetensors", save_best_only=True, every=every)
    fit(make_trainer(), [Scripted(values), save])
    assert sorted(int(path.stem) for path in tmp_path.iterdir()) == expected


def test_model_checkpoint_sees_what_other_callbacks_did(tmp_path):
    """A learning rate that a callback halves is in the file, wherever in the list the callback stands."""

    def halve(epoch, history):
        trainer.optimizer.lr *= 0.5

    trainer = make_trainer()
    fit(trainer, [ModelCheckpoint(tmp_path / "{epoch}.safetensors"), halve])
    expected = weights(trainer)
    trainer = make_trainer()
    trainer.load(tmp_path / "2.safetensors")
    assert trainer.optimizer.lr == 0.05 / 8
    fit(trainer, [halve], resume=True)
    assert weights(trainer) == expected


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_csv_logger_writes_every_digit(tmp_path):
    history = fit(make_trainer(), [CSVLogger(tmp_path / "run.csv")], metrics=["r2"])
    rows = rows_of(tmp_path / "run.csv")
    assert rows[0] == ["epoch", "loss", "validation_loss", "validation_r2", "seconds"]
    for epoch, row in enumerate(rows[1:]):
        assert int(row[0]) == epoch
        assert [float(text) for text in row[1:]] == [column[epoch] for column in history.columns().values()]
    assert len(rows) == 7


def without_seconds(rows):
    return [row[:-1] for row in rows]


@pytest.mark.parametrize("append", [True, False])
def test_csv_logger_has_one_row_an_epoch_after_interrupts(tmp_path, append):
    expected = tmp_path / "expected.csv"
    fit(make_trainer(), [CSVLogger(expected)])

    def interrupt(epoch, history):
        if epoch == stop:
            raise KeyboardInterrupt

    path, trainer = tmp_path / "run.csv", make_trainer()
    if append:
        fit(make_trainer(), [CSVLogger(path, append=True)], epochs=2)
    stop = 1
    with pytest.raises(KeyboardInterrupt):
        fit(trainer, [CSVLogger(path, append), interrupt])
    stop = 4
    with pytest.raises(KeyboardInterrupt):
        fit(trainer, [CSVLogger(path, append), interrupt], resume=True)
    trainer.save(tmp_path / "run.safetensors")
    other = make_trainer()
    other.load(tmp_path / "run.safetensors")
    fit(other, [CSVLogger(path, append)], resume=True)
    rows, whole = without_seconds(rows_of(path)), without_seconds(rows_of(expected))
    assert rows == (whole[:3] + whole[1:] if append else whole)


def test_csv_logger_begins_a_table_that_has_gone_meanwhile(tmp_path):
    path, trainer = tmp_path / "run.csv", make_trainer()
    fit(make_trainer(), [CSVLogger(path)], epochs=2)
    fit(trainer, [CSVLogger(path, append=True)], epochs=1)
    path.unlink()
    fit(trainer, [CSVLogger(path, append=True)], epochs=3, resume=True)
    assert [row[0] for row in rows_of(path)] == ["epoch", "0", "1", "2"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b'"' + b"x" * 200_000])
def test_csv_logger_refuses_to_append_to_what_is_no_table(content, tmp_path):
    path = tmp_path / "run.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"CSVLogger: '.*run\.csv' is no table"):
        fit(make_trainer(), [CSVLogger(path, append=True)])
    assert path.read_bytes() == content


def test_csv_logger_refuses_to_append_to_another_table(tmp_path):
    path = tmp_path / "run.csv"
    fit(make_trainer(), [CSVLogger(path)])
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"expected .* to have the columns"):
        fit(make_trainer(), [CSVLogger(path, append=True)], metrics=["r2"])
    assert path.read_bytes() == before


class Listener(Callback):
    def __init__(self, name, log, stop=None):
        self.name, self.log, self.stop = name, log, stop

    def train_begin(self, trainer):
        self.log.append((self.name, "train_begin"))

    def epoch_end(self, trainer, epoch, history):
        self.log.append((self.name, "epoch_end", epoch, len(history)))
        return epoch == self.stop

    def epoch_finished(self, trainer, epoch, history):
        self.log.append((self.name, "epoch_finished", epoch, trainer._state.epoch))

    def train_end(self, trainer):
        self.log.append((self.name, "train_end"))


def test_callbacks_are_told_in_order():
    log = []
    fit(make_trainer(), [Listener("a", log), Listener("b", log, stop=0)])
    assert log == [
        ("a", "train_begin"),
        ("b", "train_begin"),
        ("a", "epoch_end", 0, 1),
        ("b", "epoch_end", 0, 1),
        ("a", "epoch_finished", 0, 1),
        ("b", "epoch_finished", 0, 1),
        ("b", "train_end"),
        ("a", "train_end"),
    ]


def test_callbacks_are_told_of_the_end_whatever_ends_it():
    log = []

    def fail(epoch, history):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(make_trainer(), [Listener("a", log), fail])
    assert log[-1] == ("a", "train_end")


class Counting(Callback):
    """Remembers, in an array of its own, how many epochs it has seen."""

    def load_state_dict(self, state_dict):
        self.seen = int(state_dict.get("seen", 0))

    def epoch_end(self, trainer, epoch, history):
        self.seen += 1

    def state_dict(self):
        return {"seen": np.array(self.seen)}


def test_a_callbacks_own_state_is_resumed(tmp_path):
    trainer = make_trainer()
    fit(trainer, [lambda *_: None, Counting()], epochs=2)
    trainer.save(tmp_path / "run.safetensors")
    for resumed in (trainer, make_trainer()):
        if resumed is not trainer:
            resumed.load(tmp_path / "run.safetensors")
        counting = Counting()
        fit(resumed, [lambda *_: None, counting], resume=True)
        assert counting.seen == 6
    fit(trainer, [lambda *_: None, counting], epochs=1)
    assert counting.seen == 1
