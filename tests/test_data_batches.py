"""ne_torch.data.Batches, made on the way, and ne_torch.data.batches, of arrays."""

import ne_torch as nt
import numpy as np
import pytest

from data_cases import FEATURES, ROWS, fused_and_layers, make_trainer, pixels, problem, refused, weights
from samples import normal, same_bits


def parts(epoch):
    """Batches of 7, 20 and 50 rows."""
    rng = nt.Generator(epoch)
    for rows in (7, 20, 50):
        yield rng.normal((rows, FEATURES), dtype="float32"), rng.normal((rows, 3), dtype="float32")


@fused_and_layers
def test_batches_are_trained_on_as_steps_are(relu):
    trainer, expected = make_trainer(relu), make_trainer(relu)
    history = trainer.fit(nt.data.Batches(parts), epochs=2)
    for epoch in range(2):
        total = sum(expected.step(x, target) * len(x) for x, target in parts(epoch))
        assert history.loss[epoch] == total / 77
    assert weights(trainer) == weights(expected)


@fused_and_layers
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 8])
def test_batches_resume_to_the_same_bits(relu, steps, tmp_path):
    whole, part, other = make_trainer(relu), make_trainer(relu), make_trainer(relu)
    expected = whole.fit(nt.data.Batches(parts), epochs=3)
    part.fit(nt.data.Batches(parts), epochs=3, max_steps=steps)
    part.save(tmp_path / "run.safetensors")
    other.load(tmp_path / "run.safetensors")
    history = other.fit(nt.data.Batches(parts), epochs=3, resume=True)
    assert (history.loss, weights(other)) == (expected.loss, weights(whole))


@fused_and_layers
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


@fused_and_layers
def test_batches_move_a_scheduler_of_steps(relu):
    found = []
    for streamed in (True, False):
        model, optimizer = (trainer := make_trainer(relu)).model, trainer.optimizer
        scheduler = nt.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=6)
        trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer, scheduler=scheduler)
        if streamed:
            trainer.fit(nt.data.Batches(parts), epochs=2)
        else:
            for epoch in range(2):
                for part in parts(epoch):
                    trainer.step(*part)
        found.append((trainer.optimizer.lr, weights(trainer)))
    assert found[0] == found[1]


def test_batches_refuse_to_resume_with_others():
    trainer = make_trainer()
    trainer.fit(nt.data.Batches(parts), max_steps=1)
    with pytest.raises(ValueError, match=r"which stopped after 7 rows, got a batch that ends at row 20"):
        trainer.fit(nt.data.Batches(lambda epoch: list(parts(epoch))[1:]), resume=True)
    with pytest.raises(ValueError, match="expected Batches, as in the training that is resumed, got arrays"):
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


def test_batches_of_arrays_bring_sample_weights():
    x, target, weight = normal((20, 4), "float64"), np.arange(20), np.ones(20)
    found = list(nt.data.batches(x, target, weight, batch_size=8, rng=1))
    order = nt.Generator(1).permutation(20)
    assert [len(part) for part in found] == [3, 3, 3]
    for whole, part in zip((x, target, weight), zip(*found, strict=True), strict=True):
        assert same_bits(np.concatenate(part), whole[order])


def weighted_parts(loss, dtype):
    """Batches of x, target and the weights of the samples."""
    rows = (1500, 3, 60)
    for i, count in enumerate(rows):
        yield normal((count, FEATURES), dtype, i), *problem(loss, dtype, count)


@fused_and_layers
@pytest.mark.parametrize("loss", [nt.MSELoss, nt.CrossEntropyLoss])
def test_batches_bring_sample_weights(loss, relu, dtype):
    one, other = make_trainer(relu, dtype, loss=loss), make_trainer(relu, dtype, loss=loss)
    history = one.fit(nt.data.Batches(lambda _: weighted_parts(loss, dtype)))
    total = sum(other.step(*part) * len(part[0]) for part in weighted_parts(loss, dtype))
    assert history.loss == [total / 1563]
    assert weights(one) == weights(other)


@pytest.mark.parametrize("loss", [nt.MSELoss, nt.CrossEntropyLoss])
@pytest.mark.parametrize("weighted", [False, True])
def test_batches_are_evaluated_as_arrays_are(loss, weighted, dtype):
    """Batches of whole parts of evaluation, so that even the sums over parts are the same."""
    x, (target, weight) = normal((5000, FEATURES), dtype), problem(loss, dtype, 5000)
    arrays = (x, target, weight) if weighted else (x, target)
    batches = nt.data.Batches(lambda _: nt.data.batches(*arrays, batch_size=2048, shuffle=False))
    metrics = {"accuracy": nt.metrics.accuracy} if loss is nt.CrossEntropyLoss else {"r2": nt.metrics.r2}
    found = []
    for data in (arrays, batches):
        trainer = make_trainer(dtype=dtype, loss=loss)
        history = trainer.fit(x, target, epochs=2, rng=1, validation_data=data, metrics=metrics)
        found.append((history.validation_loss, history.metrics))
    assert found[0] == found[1]
    assert trainer.evaluate(batches) == trainer.evaluate(*arrays) == history.validation_loss[-1]


def test_validation_batches_are_always_those_of_epoch_0():
    asked = []

    def source(epoch):
        asked.append(epoch)
        return parts(epoch)

    trainer = make_trainer()
    trainer.fit(nt.data.Batches(parts), epochs=3, validation_data=nt.data.Batches(source))
    assert asked == [0] * 4  # a look at the first rows, and once an epoch


@fused_and_layers
def test_callbacks_see_epochs_of_batches(relu):
    told = []
    stopping = nt.callbacks.EarlyStopping(monitor="validation_loss", patience=1, min_delta=1e9)
    callbacks = [stopping, lambda epoch, history: told.append((epoch, history.loss[-1]))]
    validation = nt.data.Batches(list(parts(9)))
    trainer = make_trainer(relu)
    history = trainer.fit(nt.data.Batches(parts), epochs=9, validation_data=validation, callbacks=callbacks)
    assert told == list(enumerate(history.loss))
    assert 1 < len(told) < 9


def test_interrupted_training_on_batches_resumes_to_the_same_bits(keyboard):
    def endless(epoch):
        for i in range(200):
            yield from parts(200 * epoch + i)

    whole, part = make_trainer(), make_trainer()
    with pytest.raises(KeyboardInterrupt), keyboard(0.1):
        part.fit(nt.data.Batches(endless), epochs=100_000)
    if part._state is None:  # before the first step
        return
    epochs = part._state.epoch + 1
    part.fit(nt.data.Batches(endless), epochs=epochs, resume=True)
    whole.fit(nt.data.Batches(endless), epochs=epochs)
    assert weights(part) == weights(whole)


def stream(batches, **options):
    return make_trainer().fit(nt.data.Batches(batches), **options)


def fit(x, target=None, **options):
    return make_trainer().fit(x, target, **options)


X, TARGET = normal((4, FEATURES), "float32"), normal((4, 3), "float32")
GOOD = (X, TARGET)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: fit(None, TARGET), TypeError, "Trainer.fit"),
        (lambda: fit(X), TypeError, "expected x and target, or ne_torch.data.Batches, got x alone"),
        (lambda: fit(nt.data.Batches([]), TARGET), TypeError, "expected no target or sample_weight beside"),
        (lambda: fit(nt.data.Batches([]), sample_weight=X), TypeError, "expected no target or sample_weight"),
        (lambda: fit(nt.data.Batches([GOOD]), receipt="never.json"), TypeError, "got Batches"),
        (lambda: make_trainer().evaluate(X), TypeError, "Trainer.evaluate: expected x and target, or"),
        (lambda: make_trainer().evaluate(nt.data.Batches([])), ValueError, "at least one batch in epoch 0"),
        (lambda: stream([], accumulate=2), ValueError, "make larger ones"),
        (lambda: stream([]), ValueError, "Trainer.fit, Batches: expected at least one batch in epoch 0"),
        (lambda: stream(lambda _: iter(())), ValueError, "expected at least one batch in epoch 0, got none"),
        (lambda: stream([1]), TypeError, "triples, got another int as batch 0 of epoch 0"),
        (lambda: stream([GOOD, (X,)]), TypeError, "got another tuple as batch 1 of epoch 0"),
        (
            lambda: stream([GOOD, (X.astype("float64"), TARGET)]),
            TypeError,
            "Trainer.fit, Batches, batch 1 of epoch 0: expected x",
        ),
        (
            lambda: stream([GOOD, (X[:, :5], TARGET)]),
            ValueError,
            "Batches, batch 1 of epoch 0: expected x of shape (..., 37), as in those before, got (4, 5)",
        ),
        (lambda: stream([(X[:, :5], TARGET)]), ValueError, "expected x of shape (..., 37), got (4, 5)"),
        (lambda: stream([(X[:3], TARGET)]), ValueError, "batch 0 of epoch 0: expected x and target with the"),
        (lambda: stream([(X[:0], TARGET[:0])]), ValueError, "batch 0 of epoch 0: expected at least one row"),
        (lambda: stream([(*GOOD, X)]), ValueError, "batch 0 of epoch 0: expected sample_weight of"),
        (lambda: nt.data.Batches(3), TypeError, "a function or an iterable, got int"),
        (lambda: nt.data.Batches(iter([])), TypeError, "can be iterated once"),
        (lambda: nt.data.Batches([], steps=0), ValueError, "steps as a positive integer"),
        (lambda: nt.data.batches(), ValueError, "got shapes none"),
        (lambda: nt.data.batches([1, 2], [1]), ValueError, "got shapes (2,) and (1,)"),
        (lambda: nt.data.batches(3), ValueError, "got shapes ()"),
        (lambda: nt.data.batches([1], batch_size=0), ValueError, "batch_size as a positive"),
    ],
)
def test_wrong_batches_are_refused(make, error, says):
    refused(make, error, says)


@pytest.mark.parametrize("validation", [[], [(X[:, :5], TARGET)], [(X, TARGET[:, :2])]])
def test_wrong_validation_batches_are_refused_before_training(validation):
    trainer = make_trainer()
    before = weights(trainer)
    with pytest.raises(ValueError, match="expected"):
        trainer.fit(X, TARGET, validation_data=nt.data.Batches(validation))
    assert weights(trainer) == before


def test_a_wrong_batch_leaves_the_training_at_the_one_before():
    """Nothing of it is trained on; mended, the training goes on to the same bits."""
    trainer, expected = make_trainer(), make_trainer()
    with pytest.raises(ValueError, match="batch 2 of epoch 0"):
        trainer.fit(nt.data.Batches([GOOD, GOOD, (X[:, :5], TARGET)]))
    for _ in range(2):
        expected.step(*GOOD)
    assert weights(trainer) == weights(expected)
    trainer.fit(nt.data.Batches([GOOD] * 3), resume=True)
    expected.step(*GOOD)
    assert weights(trainer) == weights(expected)
