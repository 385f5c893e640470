"""The callbacks' life: trainings that are stopped by steps and by exceptions, and go on, here or from a file.

Whatever stops one, its weights, its table, its checkpoints and what its callbacks say at the end are those
of one that nothing has stopped.
"""

import contextlib
import csv
import tempfile
from pathlib import Path

import ne_torch as nt
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from life import SEEDS
from samples import normal, same_bits

EPOCHS, STEPS = 7, 3  # batches of an epoch


class Failing(nt.callbacks.Callback):
    """Raises when it has been told of so many epochs."""

    left = -1

    def epoch_end(self, trainer, epoch, history):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def made(folder, patience, restore, every, best_only, mode):
    return [
        nt.callbacks.EarlyStopping(patience=patience, restore_best_weights=restore, mode=mode),
        nt.callbacks.ModelCheckpoint(folder / "{epoch}.safetensors", every=every, save_best_only=best_only),
        nt.callbacks.CSVLogger(folder / "run.csv"),
        Failing(),
    ]


def make_trainer(seed):
    model = nt.Sequential(
        nt.Linear(4, 5, rng=seed), nt.Tanh(), nt.Dropout(0.2, rng=1), nt.Linear(5, 2, rng=2)
    )
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.Adam(model.parameters(), lr=0.3))


def table(folder):
    """Return the rows of the table, without the times."""
    return [row[:-1] for row in csv.reader((folder / "run.csv").read_text().splitlines())]


def results(trainer, callbacks, folder):
    files = {path.name: path for path in sorted(folder.glob("[0-9]*"))}
    stopping = callbacks[0]
    told = [
        table(folder),
        stopping.best_epoch,
        stopping.stopped_epoch,
        list(files),
        trainer._state.history.loss,
    ]
    weights = [parameter.data.copy() for parameter in trainer.model.parameters()]
    for path in files.values():
        loaded = make_trainer(0)
        loaded.load(path)
        weights += [parameter.data for parameter in loaded.model.parameters()]
    return told, weights


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    SEEDS,
    st.tuples(
        st.integers(1, 4), st.booleans(), st.integers(1, 3), st.booleans(), st.sampled_from(["min", "max"])
    ),
    st.lists(
        st.tuples(st.sampled_from(["steps", "error", "file"]), st.integers(1, 2 * STEPS)),
        min_size=1,
        max_size=4,
    ),
)
def test_callbacks_end_as_those_of_a_training_in_peace(seed, options, stops):
    x, target = normal((12, 4), "float32", seed), normal((12, 2), "float32", seed + 1)
    told = {"epochs": EPOCHS, "batch_size": 4, "rng": 3, "validation_data": (x, -target)}
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        whole, callbacks = make_trainer(seed), made(Path(first), *options)
        whole.fit(x, target, callbacks=callbacks, **told)
        expected = results(whole, callbacks, Path(first))
        stopped, callbacks, begun = make_trainer(seed), made(Path(second), *options), False
        for kind, count in [*stops, ("to the end", None)]:
            callbacks[3].left = count if kind == "error" else -1
            steps = count if kind in ("steps", "file") else None
            with contextlib.suppress(KeyboardInterrupt):
                stopped.fit(x, target, callbacks=callbacks, resume=begun, max_steps=steps, **told)
            if callbacks[0].stopped_epoch is not None:
                break  # a training that was ended goes on, where one asks for it
            begun = True
            if kind == "file":
                stopped.save(Path(second, "stopped"))
                stopped, callbacks = make_trainer(0), made(Path(second), *options)
                stopped.load(Path(second, "stopped"))
        found = results(stopped, callbacks, Path(second))
    assert found[0] == expected[0]
    assert all(map(same_bits, found[1], expected[1]))
    assert len(found[1]) == len(expected[1])
    assert np.isfinite(expected[1][0]).all()
