"""Trainer.fit: its epochs, orders, histories, callbacks and progress bar."""

import builtins
import copy
import math
import pickle

import ne_torch as nt
import numpy as np
import pytest

import reference
from networks import make
from samples import DLPackOnly, normal, same_bits


def make_trainer(dtype="float32", rows=23, **hyper):
    model, _ = make((5, 7, 3), np.dtype(dtype))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), **hyper))
    return trainer, normal((rows, 5), dtype, 1), normal((rows, 3), dtype, 2)


def layer_by_layer(trainer, x, target, batches):
    """Train a copy on the batches, each a set of rows; return it and the losses."""
    model, losses = copy.deepcopy(trainer.model), []
    optimizer, loss = nt.SGD(model.parameters(), lr=trainer.optimizer.lr), nt.MSELoss()
    for batch in batches:
        losses.append(loss(model(x[batch]), target[batch]))
        model.backward(loss.backward())
        optimizer.step()
    return model, losses


def same_parameters(a, b):
    return all(same_bits(p.data, q.data) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_fit_takes_batches_in_order(isa, dtype):
    trainer, x, target = make_trainer(dtype, lr=0.1)
    batches = [slice(first, first + 8) for first in (0, 8, 16)]
    expected, losses = layer_by_layer(trainer, x, target, 2 * batches)
    history = trainer.fit(x, target, epochs=2, batch_size=8, shuffle=False)
    assert same_parameters(trainer.model, expected)
    means = [np.average(losses[epoch : epoch + 3], weights=[8, 8, 7]) for epoch in (0, 3)]
    reference.assert_within(history.loss, means, reference.tolerance("float64", 8, np.array(means)))


def test_fit_shuffles_by_permutations_of_rng(isa, dtype):
    trainer, x, target = make_trainer(dtype, lr=0.1)
    orders, batches = nt.Generator(5), []
    for _ in range(3):
        order = orders.permutation(23)
        batches += [order[first : first + 4] for first in range(0, 23, 4)]
    expected, _ = layer_by_layer(trainer, x, target, batches)
    trainer.fit(x, target, epochs=3, batch_size=4, rng=5)
    assert same_parameters(trainer.model, expected)
    other, x, target = make_trainer(dtype, lr=0.1)
    other.fit(x, target, epochs=3, batch_size=4, rng=nt.Generator(5))
    assert same_parameters(other.model, expected)


def test_fit_without_rng_draws_from_manual_seed():
    results = []
    for _ in range(2):
        trainer, x, target = make_trainer(lr=0.1)
        nt.manual_seed(11)
        trainer.fit(x, target, epochs=2, batch_size=4)
        results.append(trainer.model)
    assert same_parameters(*results)


def test_fit_with_one_batch_larger_than_the_data(dtype):
    trainer, x, target = make_trainer(dtype, lr=0.1)
    expected, losses = layer_by_layer(trainer, x, target, [slice(None)])
    history = trainer.fit(x, target, batch_size=1000, shuffle=False)
    assert same_parameters(trainer.model, expected)
    assert history.loss == pytest.approx(losses, rel=1e-15)


def test_fit_records_every_epoch(dtype):
    trainer, x, target = make_trainer(dtype, lr=0.1)
    validation = normal((9, 5), dtype, 3), normal((9, 3), dtype, 4)
    history = trainer.fit(x, target, epochs=3, batch_size=8, rng=0, validation_data=validation)
    assert len(history) == len(history.loss) == len(history.validation_loss) == len(history.seconds) == 3
    assert min(history.seconds) > 0
    assert history.loss[-1] < history.loss[0]
    expected = nt.MSELoss()(trainer.model(validation[0]), validation[1])
    bound = reference.tolerance("float64", 2, expected)  # times 9 rows and divided by them
    reference.assert_within(history.validation_loss[-1], expected, bound)


def test_fit_without_validation_data_records_none():
    trainer, x, target = make_trainer()
    assert trainer.fit(x, target, rng=0).validation_loss == []


def test_evaluate_is_the_mean_over_rows_and_does_not_train(dtype):
    trainer, x, target = make_trainer(dtype, rows=2050)  # more than two blocks of evaluation
    before = trainer.model.state_dict()
    expected = reference.mse_forward(trainer.model(x), target)
    bound = reference.tolerance(dtype, 2050 * 3 + 3, expected)
    reference.assert_within(trainer.evaluate(x, target), expected, bound)
    assert all(same_bits(before[name], value) for name, value in trainer.model.state_dict().items())


def test_callbacks_see_the_history_and_end_the_training():
    trainer, x, target = make_trainer()
    seen = []
    callbacks = [
        lambda epoch, history: seen.append((epoch, len(history))) or epoch == 1,
        lambda *_: seen.append("other"),
    ]
    history = trainer.fit(x, target, epochs=5, rng=0, callbacks=callbacks)
    assert seen == [(0, 1), "other", (1, 2), "other"]
    assert len(history) == 2


def test_callbacks_end_nothing_unless_they_return_true():
    trainer, x, target = make_trainer()
    assert len(trainer.fit(x, target, epochs=3, rng=0, callbacks=[lambda *_: 1])) == 3


def test_progress_counts_samples_and_shows_losses(capsys):
    trainer, x, target = make_trainer()
    trainer.fit(x, target, epochs=2, batch_size=8, rng=0, validation_data=(x, target), progress=True)
    bar = capsys.readouterr().err.replace("\r", "\n").splitlines()[-1]
    assert "46.0/46.0" in bar
    assert "epoch=2" in bar
    assert "loss=" in bar
    assert "validation=" in bar


def test_progress_is_silent_by_default(capsys):
    trainer, x, target = make_trainer()
    trainer.fit(x, target, rng=0)
    assert capsys.readouterr() == ("", "")


def test_progress_without_tqdm_is_an_error_before_training(monkeypatch):
    def without_tqdm(name, *args, **kwargs):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    real_import = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without_tqdm)
    trainer, x, target = make_trainer(lr=0.1)
    before = copy.deepcopy(trainer.model)
    with pytest.raises(ImportError, match=r"pip install 'ne_torch\[progress\]'"):
        trainer.fit(x, target, progress=True)
    assert same_parameters(trainer.model, before)


def test_trainer_shows_what_it_was_given():
    model, loss = nt.Sequential(nt.Linear(2, 1)), nt.MSELoss()
    optimizer = nt.SGD(model.parameters())
    trainer = nt.Trainer(model, loss=loss, optimizer=optimizer)
    assert (trainer.model, trainer.loss, trainer.optimizer) == (model, loss, optimizer)


def test_trainer_takes_any_model_loss_and_optimizer():
    class Scale:
        factor, seen, grad = 1.0, None, None

        def forward(self, x):
            self.seen = x
            return self.factor * x

        def backward(self, grad_output):
            self.grad = float(np.vdot(grad_output, self.seen))
            return self.factor * grad_output

    class Descent:
        def step(self):
            model.factor -= 0.1 * model.grad

    model = Scale()
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=Descent())
    assert not trainer.fused
    x = normal((64, 1), "float64")
    history = trainer.fit(x, 3 * x, epochs=20, batch_size=16, rng=0)
    assert math.isclose(model.factor, 3, rel_tol=1e-3)
    assert history.loss[-1] < 1e-3 * history.loss[0]


@pytest.mark.parametrize("convert", [np.ndarray.tolist, DLPackOnly], ids=["list", "dlpack_only"])
def test_fit_takes_what_step_takes(convert):
    trainer, x, target = make_trainer(lr=0.1)
    expected, x, target = make_trainer(lr=0.1)
    expected.fit(x, target, batch_size=4, rng=0)
    trainer.fit(convert(x), convert(target), batch_size=4, rng=0)
    assert same_parameters(trainer.model, expected.model)


@pytest.mark.parametrize("shuffle", [False, True])
def test_fit_takes_samples_of_several_rows(shuffle):
    trainer, _, _ = make_trainer(lr=0.1)
    x, target = normal((6, 2, 5), "float32", 1), normal((6, 2, 3), "float32", 2)
    order = nt.Generator(3).permutation(6) if shuffle else np.arange(6)
    expected, losses = layer_by_layer(trainer, x, target, [order[:4], order[4:]])
    history = trainer.fit(x, target, batch_size=4, shuffle=shuffle, rng=3)
    assert same_parameters(trainer.model, expected)
    assert history.loss[0] == pytest.approx(np.average(losses, weights=[4, 2]), rel=1e-14)


def test_trainer_survives_pickle(dtype):
    trainer, x, target = make_trainer(dtype, lr=0.1, momentum=0.9)
    trainer.step(x, target)
    twin = pickle.loads(pickle.dumps(trainer))
    assert twin.step(x, target) == trainer.step(x, target)
    assert same_parameters(twin.model, trainer.model)
