"""ModelCheckpoint and CSVLogger: the files that callbacks write."""

import csv

import pytest
from ne_torch.callbacks import CSVLogger, ModelCheckpoint

from callback_runs import Scripted, fit, fused_and_by_layers, make_trainer, weights, weights_after


@fused_and_by_layers
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
