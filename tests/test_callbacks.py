"""What callbacks are told, in which order, what is refused, and what of them is resumed."""

import numpy as np
import pytest
from ne_torch.callbacks import Callback, EarlyStopping, ModelCheckpoint

from callback_runs import fit, make_trainer, weights


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
