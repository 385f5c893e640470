"""ne_torch.data: bytes, batches made on the way, batches of arrays; and accumulation of gradients."""

import pickle
import tracemalloc

import ne_torch as nt
import numpy as np
import pytest

from samples import normal, same_bits
from test_callbacks import weights
from test_trainer_fused import TheirReLU

ROWS, FEATURES = 203, 37


@pytest.fixture(params=[nt.ReLU, TheirReLU], ids=["fused", "layers"])
def relu(request):
    return request.param


def make_trainer(relu=nt.ReLU, dtype="float32", features=FEATURES):
    layers = nt.Linear(features, 9, dtype=dtype, rng=1), relu(), nt.Linear(9, 3, dtype=dtype, rng=2)
    model = nt.Sequential(*layers)
    return nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.05, momentum=0.9))


def pixels(shape=(ROWS, FEATURES), seed=3):
    return np.random.default_rng(seed).integers(0, 256, shape, "uint8")


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


def test_steps_and_evaluation_take_bytes(relu, dtype):
    x, target = pixels(), normal((ROWS, 3), dtype, 4)
    scaled = nt.data.Scaled(x)
    one, other = make_trainer(relu, dtype), make_trainer(relu, dtype)
    floats = np.asarray(scaled.astype(dtype))
    assert one.step(scaled, target) == other.step(floats, target)
    assert one.evaluate(scaled, target) == other.evaluate(floats, target)
    assert weights(one) == weights(other)


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


@pytest.mark.parametrize("view", [lambda x: x[:, ::-1], lambda x: x[::2], np.asfortranarray])
def test_training_on_bytes_that_are_not_contiguous(view, relu):
    x = view(pixels())
    target = normal((len(x), 3), "float32", 4)
    copied = outcome(make_trainer(relu), nt.data.Scaled(np.ascontiguousarray(x)), target, True)
    assert outcome(make_trainer(relu), nt.data.Scaled(x), target, True) == copied


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


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: nt.data.Scaled(np.zeros((2, 3))), TypeError, "dtype uint8, got float64"),
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
        (lambda: fit(None), TypeError, ""),
        (lambda: make_trainer().fit(np.zeros((2, 3), "float32")), TypeError, "expected x and target"),
        (lambda: fit(nt.data.Batches([])), TypeError, "expected no target beside Batches"),
        (lambda: stream(nt.data.Batches([]), accumulate=2), ValueError, "make larger ones"),
        (lambda: stream(nt.data.Batches([])), ValueError, "at least 1 rows in epoch 0, got 0"),
        (lambda: stream(nt.data.Batches([1])), TypeError, "as pairs (x, target), got another int"),
        (lambda: nt.data.Batches(3), TypeError, "a function or an iterable, got int"),
        (lambda: nt.data.Batches(iter([])), TypeError, "can be iterated once"),
        (lambda: nt.data.Batches([], steps=0), ValueError, "steps as a positive integer"),
        (lambda: fit(normal((ROWS, FEATURES), "float32"), accumulate=0), ValueError, "accumulate as a pos"),
        (lambda: nt.data.batches([1, 2], [1]), ValueError, "got shapes (2,) and (1,)"),
        (lambda: nt.data.batches(3), ValueError, "got shapes ()"),
        (lambda: nt.data.batches([1], batch_size=0), ValueError, "batch_size as a positive"),
    ],
)
def test_wrong_data_is_refused(make, error, says):
    with pytest.raises(error) as caught:
        make()
    assert says in str(caught.value)


def fit(x, **options):
    trainer = make_trainer()
    before = weights(trainer)
    try:
        trainer.fit(x, normal((ROWS, 3), "float32", 4), **options)
    finally:
        assert weights(trainer) == before


def stream(batches, **options):
    return make_trainer().fit(batches, **options)


def parts(epoch):
    """Batches of 7, 20 and 50 rows."""
    rng = nt.Generator(epoch)
    for rows in (7, 20, 50):
        yield rng.normal((rows, FEATURES), dtype="float32"), rng.normal((rows, 3), dtype="float32")


def test_batches_are_trained_on_as_steps_are(relu):
    trainer, expected = make_trainer(relu), make_trainer(relu)
    history = trainer.fit(nt.data.Batches(parts), epochs=2)
    for epoch in range(2):
        total = sum(expected.step(x, target) * len(x) for x, target in parts(epoch))
        assert history.loss[epoch] == total / 77
    assert weights(trainer) == weights(expected)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 8])
def test_batches_resume_to_the_same_bits(relu, steps, tmp_path):
    whole, part, other = make_trainer(relu), make_trainer(relu), make_trainer(relu)
    expected = whole.fit(nt.data.Batches(parts), epochs=3)
    part.fit(nt.data.Batches(parts), epochs=3, max_steps=steps)
    part.save(tmp_path / "run.safetensors")
    other.load(tmp_path / "run.safetensors")
    history = other.fit(nt.data.Batches(parts), epochs=3, resume=True)
    assert (history.loss, weights(other)) == (expected.loss, weights(whole))


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_batches_resume_after_an_error_while_they_are_made(relu, error):
    def failing(epoch):
        for i, batch in enumerate(parts(epoch)):
            if (epoch, i) == (1, 2):
                raise error("disk")
            yield batch

    whole, part = make_trainer(relu), make_trainer(relu)
    whole.fit(nt.data.Batches(parts), epochs=3)
    with pytest.raises(error):
        part.fit(nt.data.Batches(failing), epochs=3)
    part.fit(nt.data.Batches(parts), epochs=3, resume=True)
    assert weights(part) == weights(whole)


def test_batches_refuse_to_resume_with_others():
    trainer = make_trainer()
    trainer.fit(nt.data.Batches(parts), max_steps=1)
    with pytest.raises(ValueError, match=r"which stopped after 7 rows, got one that ends at 20"):
        trainer.fit(nt.data.Batches(lambda epoch: list(parts(epoch))[1:]), resume=True)
    with pytest.raises(ValueError, match="expected samples=None"):
        trainer.fit(normal((7, FEATURES), "float32"), normal((7, 3), "float32"), resume=True)


def test_batches_of_an_iterable_and_of_so_many_steps():
    batches = list(parts(0))
    one, other = make_trainer(), make_trainer()
    one.fit(nt.data.Batches(batches, steps=2), epochs=2)
    other.fit(nt.data.Batches(lambda _: batches[:2]), epochs=2)
    assert weights(one) == weights(other)


def test_batches_without_end_stop_at_steps(capsys):
    def endless(epoch):
        while True:
            yield from parts(epoch)

    trainer = make_trainer()
    trainer.fit(nt.data.Batches(endless, steps=4), epochs=2, progress=True)
    assert trainer.optimizer.state_dict()["param_groups"][0]["steps"] == 8
    assert "168" in capsys.readouterr().err  # 2 (77 + 7) samples


def test_batches_of_bytes(dtype):
    x, target = pixels(), normal((ROWS, 3), dtype, 4)
    one, other = make_trainer(dtype=dtype), make_trainer(dtype=dtype)
    one.fit(nt.data.Batches([(nt.data.Scaled(x), target)]))
    other.step(nt.data.Scaled(x), target)
    assert weights(one) == weights(other)


@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_of_arrays_are_those_of_fit(shuffle):
    x, target = normal((50, FEATURES), "float32", 1), normal((50, 3), "float32", 2)
    one, other = make_trainer(), make_trainer()
    one.fit(x, target, epochs=3, batch_size=8, shuffle=shuffle, rng=5)
    batches = nt.data.batches(x, target, batch_size=8, shuffle=shuffle, rng=5)
    assert len(batches) == 7
    for _ in range(3):
        for part in batches:
            other.step(*part)
    assert weights(one) == weights(other)


def test_batches_of_arrays_drop_the_last_and_read_bytes():
    x = nt.data.Scaled(pixels((10, 4)))
    parts = list(nt.data.batches(x, batch_size=4, shuffle=False, drop_last=True))
    assert [part.shape for part in parts] == [(4, 4), (4, 4)]
    assert same_bits(np.concatenate(parts), x[:8])
    assert list(nt.data.batches(np.zeros((0, 3)))) == []


@pytest.mark.parametrize("k", [2, 3, 7])
def test_accumulation_has_the_bits_of_one_large_batch(isa, relu, dtype, k):
    x, target = normal((ROWS, FEATURES), dtype, 1), normal((ROWS, 3), dtype, 2)
    one, other = make_trainer(relu, dtype), make_trainer(relu, dtype)
    a = one.fit(x, target, epochs=2, batch_size=16, accumulate=k, rng=5)
    b = other.fit(x, target, epochs=2, batch_size=16 * k, rng=5)
    assert (a.loss, weights(one)) == (b.loss, weights(other))


def test_accumulation_is_the_gradient_of_all_batches(dtype):
    """The mean over batches of equal size of their gradients, up to rounding: eps for each of 48 terms."""
    x, target = normal((48, FEATURES), dtype, 1), normal((48, 3), dtype, 2)
    trainer, model = make_trainer(dtype=dtype), make_trainer(dtype=dtype).model
    start = model.state_dict()
    trainer.fit(x, target, batch_size=16, accumulate=3, shuffle=False)
    total = {name: np.zeros(array.shape) for name, array in start.items()}
    for part in (slice(0, 16), slice(16, 32), slice(32, 48)):
        loss = nt.MSELoss()
        loss.forward(model.forward(x[part]), target[part])
        model.backward(loss.backward())
        for name, parameter in model.named_parameters().items():
            total[name] += parameter.grad / 3
    for name, parameter in trainer.model.named_parameters().items():
        expected = start[name] - 0.05 * total[name]
        scale = np.abs(start[name]).max() + 0.05 * np.abs(total[name]).max() * 48
        assert np.abs(parameter.data - expected).max() <= 64 * np.finfo(dtype).eps * scale


def test_accumulation_resumes():
    x, target = normal((ROWS, FEATURES), "float32", 1), normal((ROWS, 3), "float32", 2)
    whole, part = make_trainer(), make_trainer()
    whole.fit(x, target, epochs=2, batch_size=16, accumulate=4, rng=5)
    part.fit(x, target, epochs=2, batch_size=16, accumulate=4, rng=5, max_steps=2)
    with pytest.raises(ValueError, match="expected batch_size=64"):
        part.fit(x, target, epochs=2, batch_size=16, resume=True)
    part.fit(x, target, epochs=2, batch_size=16, accumulate=4, resume=True)
    assert weights(part) == weights(whole)
