"""ne_torch.data.Scaled: features in bytes, in memory and in mapped files."""

import pickle
import sys
import tracemalloc

import ne_torch as nt
import numpy as np
import pytest

from data_cases import FEATURES, ROWS, fused_and_layers, make_trainer, pixels, problem, refused, weights
from process import run
from samples import normal, same_bits
from test_trainer_fused import TheirReLU

FACTORS = {
    "scalar": (1 / 255, -0.5),
    "each": (normal(FEATURES, "float64", 1), normal(FEATURES, "float64", 2)),
}


@pytest.fixture(params=FACTORS)
def factors(request):
    return FACTORS[request.param]


def test_scaled_rounds_once(isa, dtype, factors):
    """Exact products of 32 bits, and sums that float64 holds, show float32's rounding of the whole."""
    x = pixels()
    found = nt.data.Scaled(x, *factors, dtype=dtype)
    scale, shift = (np.asarray(factor).astype(dtype).astype("longdouble") for factor in factors)
    expected = (x.astype("longdouble") * scale + shift).astype(dtype)
    whole = np.asarray(found)
    assert whole.dtype == dtype
    if dtype == "float32":
        assert same_bits(whole, expected)
    else:  # the sum in longdouble is rounded to 64 bits first, which may move it by one
        assert (np.abs(whole - expected) <= np.spacing(np.abs(expected))).all()


def test_scaled_indexes_rows(isa, factors):
    x = pixels()
    scaled = nt.data.Scaled(x, *factors)
    whole = np.asarray(scaled)
    for rows in (slice(5, 20), slice(None, None, -3), np.array([4, 4, 200]), slice(0, 0)):
        assert same_bits(scaled[rows], whole[rows])
    assert same_bits(scaled[7], whole[7])
    assert (len(scaled), scaled.shape, scaled.ndim, scaled.dtype) == (ROWS, x.shape, 2, np.dtype("float32"))


def test_scaled_samples_of_any_shape():
    x = pixels((7, 4, 5))
    scale = normal((4, 5), "float64")
    whole = np.asarray(nt.data.Scaled(x, scale))
    flat = np.asarray(nt.data.Scaled(x.reshape(7, 20), scale.ravel()))
    assert same_bits(whole, flat.reshape(7, 4, 5))
    assert nt.data.Scaled(pixels((4,)), 2.0).shape == (4,)
    assert same_bits(nt.data.Scaled(np.array([3], "uint8"), 2.0)[:], np.array([6], "float32"))


def outcome(trainer, x, target, shuffle, **options):
    validation = x[:50] if isinstance(x, np.ndarray) else nt.data.Scaled(x._array[:50], x._scale, x._shift)
    history = trainer.fit(
        x, target, epochs=3, batch_size=32, shuffle=shuffle, rng=5, validation_data=(validation, target[:50]),
        **options,
    )  # fmt: skip
    return history.loss, history.validation_loss, weights(trainer)


@fused_and_layers
@pytest.mark.parametrize("shuffle", [True, False])
def test_training_on_bytes_has_the_bits_of_training_on_floats(isa, dtype, relu, shuffle, factors):
    x, target = pixels(), normal((ROWS, 3), dtype, 4)
    scaled = nt.data.Scaled(x, *factors)
    expected = outcome(make_trainer(relu, dtype), np.asarray(scaled.astype(dtype)), target, shuffle)
    assert outcome(make_trainer(relu, dtype), scaled, target, shuffle) == expected


@pytest.mark.parametrize("threads_", [1, 2, 3, 8])
def test_training_on_bytes_has_the_same_bits_on_any_number_of_threads(threads_, threads):
    x, target = nt.data.Scaled(pixels((500, 300))), normal((500, 3), "float32", 4)
    nt.set_num_threads(1)
    one, other = make_trainer(features=300), make_trainer(features=300)
    one.fit(x, target, batch_size=128, rng=1)
    nt.set_num_threads(threads_)
    other.fit(x, target, batch_size=128, rng=1)
    assert weights(one) == weights(other)


@fused_and_layers
def test_steps_and_evaluation_take_bytes(relu, dtype):
    x, target = pixels(), normal((ROWS, 3), dtype, 4)
    scaled = nt.data.Scaled(x)
    one, other = make_trainer(relu, dtype), make_trainer(relu, dtype)
    floats = np.asarray(scaled.astype(dtype))
    assert one.step(scaled, target) == other.step(floats, target)
    assert one.evaluate(scaled, target) == other.evaluate(floats, target)
    assert weights(one) == weights(other)


@fused_and_layers
@pytest.mark.parametrize("steps", [1, 6, 7, 13])
def test_training_on_bytes_resumes_to_the_same_bits(relu, steps, tmp_path):
    x, target = nt.data.Scaled(pixels()), normal((ROWS, 3), "float32", 4)
    whole, part, other = make_trainer(relu), make_trainer(relu), make_trainer(relu)
    whole.fit(x, target, epochs=3, batch_size=32, rng=5)
    part.fit(x, target, epochs=3, batch_size=32, rng=5, max_steps=steps)
    part.save(tmp_path / "run.safetensors")
    other.load(tmp_path / "run.safetensors")
    other.fit(x, target, epochs=3, batch_size=32, resume=True)
    assert weights(other) == weights(whole)


@fused_and_layers
@pytest.mark.parametrize("view", [lambda x: x[:, ::-1], lambda x: x[::2], np.asfortranarray])
def test_training_on_bytes_that_are_not_contiguous(view, relu):
    x = view(pixels())
    target = normal((len(x), 3), "float32", 4)
    copied = outcome(make_trainer(relu), nt.data.Scaled(np.ascontiguousarray(x)), target, True)
    assert outcome(make_trainer(relu), nt.data.Scaled(x), target, True) == copied


@fused_and_layers
@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_training_on_mapped_files_copies_no_data_set(relu, kind, tmp_path):
    x = pixels((20_000, FEATURES))
    target = normal((len(x), 3), "float32", 4)
    np.save(tmp_path / "x.npy", x if kind == "bytes" else np.asarray(nt.data.Scaled(x)))
    np.save(tmp_path / "target.npy", target)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    size = mapped.nbytes
    source = nt.data.Scaled(mapped) if kind == "bytes" else mapped
    trainer = make_trainer(relu)
    trainer.step(source[:2], target[:2])  # what is loaded when first used
    tracemalloc.start()
    goal = np.load(tmp_path / "target.npy", mmap_mode="r")
    trainer.fit(source, goal, batch_size=256, rng=1, shuffle=True, validation_data=(source, goal))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size  # of which the order, 8 bytes a row, is a good part


def test_scaled_is_copied_and_pickled():
    scaled = nt.data.Scaled(pixels(), *FACTORS["each"], dtype="float64")
    again = pickle.loads(pickle.dumps(scaled))
    assert same_bits(again[:], scaled[:])
    assert repr(again) == f"Scaled(shape=({ROWS}, {FEATURES}), dtype=float64)"


LOSSES = pytest.mark.parametrize("loss", [nt.MSELoss, nt.CrossEntropyLoss])


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@LOSSES
def test_bytes_with_classes_and_weights_have_one_result(loss, weighted, shuffle, isa, dtype, threads):
    """That of floats and of layer by layer, on any number of threads, in batches of several blocks."""
    nt.set_num_threads(1)
    rows = 2100
    scaled = nt.data.Scaled(pixels((rows, FEATURES)), *FACTORS["each"])
    target, weight = problem(loss, dtype, rows)
    weight = weight if weighted else None

    def result(relu, x):
        trainer = make_trainer(relu, dtype, loss=loss)
        options = {"batch_size": 1201, "shuffle": shuffle, "rng": 5, "sample_weight": weight}
        history = trainer.fit(x, target, epochs=2, validation_data=(x, target), **options)
        assert trainer.fused == (relu is nt.ReLU)
        return history.loss, history.validation_loss, weights(trainer)

    expected = result(TheirReLU, np.asarray(scaled.astype(dtype)))
    assert result(TheirReLU, scaled) == expected
    for count in (1, 3):
        nt.set_num_threads(count)
        assert result(nt.ReLU, scaled) == expected


def test_validation_metrics_of_bytes_are_those_of_floats():
    target = problem(nt.CrossEntropyLoss, "float32")[0]
    scaled = nt.data.Scaled(pixels())
    found = []
    for x in (scaled, scaled[:]):
        trainer = make_trainer(loss=nt.CrossEntropyLoss)
        history = trainer.fit(x, target, rng=1, validation_data=(x, target), metrics=["accuracy"])
        found.append((history.metrics["accuracy"], history.validation_loss))
    assert found[0] == found[1]


MEMORY = """
import resource
import ne_torch as nt
import numpy as np

rows, features = 100_000, 400
x = np.full((rows, features), 7, "uint8")
target = np.zeros((rows, 2), "float32")

class TheirReLU(nt.ReLU):
    pass

model = nt.Sequential(nt.Linear(features, 2, rng=0), {relu}())
trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=1e-3))
source = nt.data.Scaled(x)
trainer.fit(nt.data.Scaled(x[:512]), target[:512], batch_size=256)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
trainer.fit(source, target, batch_size=256, rng=1, validation_data=(source, target))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / x.size)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is in KiB on Linux")
@pytest.mark.parametrize("relu", ["nt.ReLU", "TheirReLU"])
def test_an_epoch_of_bytes_makes_no_floats_of_all_data(relu):
    """Floats would be 4 bytes a feature; the order of the rows is 8 bytes for each 400 features."""
    found = run(MEMORY.replace("{relu}", relu))
    assert found.returncode == 0, found.stderr
    assert float(found.stdout) < 0.25


def test_interrupted_training_on_bytes_resumes_to_the_same_bits(keyboard):
    x, target = nt.data.Scaled(pixels((4096, FEATURES))), normal((4096, 3), "float32", 4)
    whole, part = make_trainer(), make_trainer()
    with pytest.raises(KeyboardInterrupt), keyboard(0.05):
        part.fit(x, target, epochs=100_000, batch_size=32, rng=5)
    if part._state is None:  # before the first step
        return
    epochs = part._state.epoch + 1
    part.fit(x, target, epochs=epochs, batch_size=32, resume=True)
    whole.fit(x, target, epochs=epochs, batch_size=32, rng=5)
    assert weights(part) == weights(whole)


def fit(x, **options):
    trainer = make_trainer()
    before = weights(trainer)
    try:
        trainer.fit(x, normal((ROWS, 3), "float32", 4), **options)
    finally:
        assert weights(trainer) == before


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: nt.data.Scaled(np.zeros((2, 3))), TypeError, "dtype uint8, got float64"),
        (lambda: nt.data.Scaled(np.zeros((2, 3), "int8")), TypeError, "dtype uint8, got int8"),
        (lambda: nt.data.Scaled(np.uint8(3)), ValueError, "got ()"),
        (lambda: nt.data.Scaled(pixels(), np.ones(3)), ValueError, "expected scale as a number or of"),
        (lambda: nt.data.Scaled(pixels(), 1, np.ones((2, FEATURES))), ValueError, "expected shift as a"),
        (lambda: nt.data.Scaled(pixels(), np.nan), ValueError, "expected scale to be finite"),
        (lambda: nt.data.Scaled(pixels(), 1e39), ValueError, "finite in float32"),
        (lambda: nt.data.Scaled(pixels(), dtype="int8"), TypeError, "int8"),
        (lambda: np.array(nt.data.Scaled(pixels()), copy=False), ValueError, "copy"),
        (lambda: fit(nt.data.Scaled(pixels((ROWS, 5)))), ValueError, "of shape (..., 37), got (203, 5)"),
        (lambda: fit(nt.data.Scaled(pixels((5, FEATURES)))), ValueError, "the same number of rows"),
        (lambda: fit(nt.data.Scaled(pixels()), receipt="never.json"), TypeError, "for a receipt"),
        (
            lambda: fit(nt.data.Scaled(pixels()), sample_weight=np.ones(5, "float32")),
            ValueError,
            "expected sample_weight of shape (203,)",
        ),
    ],
)
def test_wrong_bytes_are_refused(make, error, says):
    refused(make, error, says)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 0), (2, 0, 4)])
def test_scaled_of_nothing_is_nothing(shape):
    scaled = nt.data.Scaled(np.zeros(shape, "uint8"))
    assert same_bits(np.asarray(scaled), np.zeros(shape, "float32"))
    assert scaled[:1].shape == (min(shape[0], 1), *shape[1:])


def test_scaled_of_one_row_has_a_samples_shape():
    assert nt.data.Scaled(np.array([3, 4], "uint8"), scale=1)[1].shape == ()
    assert nt.data.Scaled(np.ones((2, 3), "uint8"))[1].shape == (3,)
