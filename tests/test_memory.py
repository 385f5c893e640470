"""Memory: what cannot be had is refused with nothing changed; what is dropped is given back."""

import gc
import os
import pickle
import sys
from pathlib import Path

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import functional
from ne_torch.sklearn import MLPClassifier, MLPRegressor

from samples import normal, same_bits

HUGE = np.broadcast_to(np.float32(1), (2**34, 4))  # 256 GiB as an array of its own
MEGABYTE = 1 << 20


def make_trainer():
    model = nt.Sequential(nt.Linear(4, 3, rng=0), nt.ReLU(), nt.Linear(3, 2, rng=1))
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1, momentum=0.9))


@pytest.mark.parametrize(
    "make",
    [
        lambda: nt.Linear(2**62, 2),
        lambda: nt.Linear(2, 2**62),
        lambda: nt.Linear(2**31, 2**31),
        lambda: nt.Linear(2**20, 2**22),
        lambda: nt.Linear(10**30, 2),
        lambda: nt.Generator(0).normal((2**40, 2**40)),
        lambda: nt.Generator(0).normal((10**30,)),
        lambda: nt.Generator(0).permutation(2**40),
        lambda: nt.Generator(0).permutation(10**30),
        lambda: nt.datasets.one_hot([0, 1], 2**60),
        lambda: nt.Embedding(2**40, 2**40),
        lambda: nt.Embedding(2**62, 2),
        lambda: nt.Embedding(2, 10**30),
        lambda: nt.TabularEmbedding(2, {0: (2**40, 2**40)}),
        lambda: nt.TabularEmbedding(10**30, {0: (2, 2)}),
        lambda: nt.LayerNorm(2**46),
        lambda: nt.LayerNorm(2**62),
        lambda: nt.LayerNorm(10**30),
        lambda: nt.BatchNorm1d(2**46),
        lambda: nt.BatchNorm1d(2**62),
        lambda: nt.BatchNorm1d(10**30),
        lambda: nt.Sequential(nt.Linear(2, 2), nt.Residual(nt.LayerNorm(2**62))),
        lambda: MLPRegressor(hidden_layer_sizes=(2**31, 2**31)).fit(np.ones((3, 2)), np.ones(3)),
        lambda: MLPClassifier(hidden_layer_sizes=(10**30,)).fit(np.ones((2, 2)), [0, 1]),
        lambda: nt.data.Scaled(np.broadcast_to(np.uint8(1), (2**50, 2)))[:],
        lambda: nt.Embedding(3, 2**20)(np.broadcast_to(1, 2**24)),
    ],
)
def test_sizes_that_cannot_be_had_are_refused(make):
    with pytest.raises((MemoryError, ValueError)):
        make()


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.model(HUGE),
        lambda t: t.model.freeze()(HUGE),
        lambda t: t.step(HUGE, np.broadcast_to(np.float32(1), (2**34, 2))),
        lambda t: t.fit(HUGE, np.broadcast_to(np.float32(1), (2**34, 2))),
        lambda t: t.evaluate(HUGE, np.broadcast_to(np.float32(1), (2**34, 2))),
        lambda t: t.fit(np.ones((8, 4), "f"), np.ones((8, 2), "f"), batch_size=10**30),
        lambda _: functional.softmax_forward(HUGE),
        lambda t: t.loss(HUGE, HUGE),
        lambda _: nt.LayerNorm(4)(HUGE),
        lambda _: nt.BatchNorm1d(4)(HUGE),
        lambda _: nt.Dropout(0.5)(HUGE),
        lambda _: nt.GELU()(HUGE),
        lambda _: nt.LogSoftmax()(HUGE),
        lambda _: nt.CrossEntropyLoss(reduction="none")(HUGE, HUGE),
    ],
)
def test_data_that_cannot_be_had_changes_nothing(call):
    trainer = make_trainer()
    x, target = normal((8, 4), "float32"), normal((8, 2), "float32")
    trainer.step(x, target)
    before = [p.data.copy() for p in trainer.model.parameters()]
    velocity = trainer.optimizer.state_dict()["velocity"]
    with pytest.raises((MemoryError, ValueError)):
        call(trainer)
    assert all(map(same_bits, [p.data for p in trainer.model.parameters()], before))
    assert all(map(same_bits, trainer.optimizer.state_dict()["velocity"], velocity))
    twin = make_trainer()
    twin.step(x, target)
    assert trainer.step(x, target) == twin.step(x, target)


def test_a_batch_size_near_the_largest_integer_is_one_batch():
    x, target = normal((8, 4), "float32"), normal((8, 2), "float32")
    losses = [make_trainer().fit(x, target, batch_size=size, rng=0).loss for size in (8, 2**62, 2**63 - 1)]
    assert losses[0] == losses[1] == losses[2]


def resident() -> int:
    """Bytes of memory that this process has at hand right now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(work) -> int:
    """Bytes that the process has gained by work(), the first of three rounds not counted."""
    work()
    gc.collect()
    before = resident()
    work()
    work()
    gc.collect()
    return resident() - before


on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")


@on_linux
def test_a_hundred_thousand_steps_keep_no_memory():
    trainer = make_trainer()
    x, target = normal((8, 4), "float32"), normal((8, 2), "float32")

    def steps():
        for _ in range(50_000):
            trainer.step(x, target)

    assert growth(steps) < MEGABYTE


@on_linux
def test_ten_thousand_models_keep_no_memory():
    x, target = normal((8, 4), "float32"), normal((8, 2), "float32")

    def models():
        for _ in range(5_000):
            trainer = make_trainer()
            trainer.step(x, target)
            trainer.model(x)
            trainer.model.freeze()(x)

    assert growth(models) < MEGABYTE


@on_linux
def test_refused_calls_keep_no_memory():
    model = make_trainer().model
    predictor, wrong = model.freeze(), np.ones((8, 5), "float32")

    def refused():
        for _ in range(5_000):
            for call in (model, predictor, model[0].forward):
                try:
                    call(wrong)
                except ValueError:
                    continue
                raise AssertionError

    assert growth(refused) < MEGABYTE


@on_linux
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor], ids=lambda kind: kind.__name__)
def test_estimators_keep_no_memory(kind):
    x, y = normal((20, 4), "float32"), np.arange(20) % 3

    def fits():
        for _ in range(150):
            estimator = kind(hidden_layer_sizes=(5,), max_iter=2, random_state=0).fit(x, y).partial_fit(x, y)
            estimator.predict(x)
            pickle.loads(pickle.dumps(estimator))

    assert growth(fits) < MEGABYTE


@on_linux
def test_files_keep_no_memory(tmp_path):
    trainer = make_trainer()
    model = trainer.model
    model.append(nt.Softmax())

    def files():
        for i in range(60):
            path = tmp_path / str(i)
            model.save(path)
            nt.load(path)
            trainer.save(path)
            trainer.load(path)
            path.unlink()
            model.freeze().save(path)
            nt.load_predictor(path, verify=True)
            path.unlink()
            nt.export_onnx(model, path)
            nt.import_onnx(path)
            path.write_bytes(path.read_bytes()[:-9])
            for read in (nt.load, trainer.load, nt.load_predictor, nt.import_onnx):
                with pytest.raises(ValueError, match=str(i)):
                    read(path)
            path.unlink()

    assert growth(files) < MEGABYTE
