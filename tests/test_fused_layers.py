"""Dropout, normalisation and residual connections in the engine: the bits of layer by layer, any threads."""

import copy

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import _core

from samples import normal, same_bits

WIDTH, OUT = 19, 5


class OwnLoss(nt.MSELoss):
    """A loss that the engine does not know: training goes layer by layer."""


def linear(i, o, dtype, seed=0):
    return nt.Linear(i, o, dtype=dtype, rng=seed)


MODELS = {
    "dropout": lambda d: [linear(WIDTH, 33, d), nt.ReLU(), nt.Dropout(0.3, rng=1), linear(33, OUT, d, 1)],
    "dropout of the input": lambda d: [nt.Dropout(0.2, rng=1), linear(WIDTH, OUT, d), nt.Dropout(1.0, rng=2)],
    "dropout of nothing": lambda d: [linear(WIDTH, 8, d), nt.Dropout(0.0, rng=1), linear(8, OUT, d, 1)],
    "batch norm": lambda d: [
        linear(WIDTH, 33, d),
        nt.BatchNorm1d(33, dtype=d),
        nt.ReLU(),
        linear(33, OUT, d, 1),
        nt.BatchNorm1d(OUT, momentum=None, dtype=d),
    ],
    "batch norm first": lambda d: [
        nt.BatchNorm1d(WIDTH, affine=False, dtype=d),
        nt.BatchNorm1d(WIDTH, track_running_stats=False, dtype=d),
        linear(WIDTH, OUT, d),
    ],
    "layer norm": lambda d: [
        nt.LayerNorm(WIDTH, dtype=d),
        linear(WIDTH, 17, d),
        nt.LayerNorm(17, bias=False, dtype=d),
        nt.ReLU(),
        nt.LayerNorm(17, elementwise_affine=False, dtype=d),
        linear(17, OUT, d, 1),
        nt.LayerNorm(OUT, dtype=d),
    ],
    "residual": lambda d: [
        nt.Residual(
            linear(WIDTH, 33, d), nt.ReLU(), nt.Dropout(0.5, rng=3), linear(33, WIDTH, d, 1), nt.ReLU()
        ),
        nt.Residual(nt.BatchNorm1d(WIDTH, dtype=d), nt.Residual(linear(WIDTH, WIDTH, d, 2), nt.ReLU())),
        nt.ReLU(),
        linear(WIDTH, OUT, d, 3),
        nt.Residual(nt.ReLU()),
        nt.Residual(),
    ],
    "values overwritten, and not": lambda d: [
        nt.Tanh(),
        nt.Dropout(0.2, rng=1),  # tanh reads its output again
        nt.Sigmoid(),
        linear(WIDTH, 33, d),
        nt.Dropout(0.3, rng=2),
        nt.Tanh(),
        nt.ReLU(),
        linear(33, WIDTH, d, 1),
        nt.ReLU(),  # in the store of the product, which reads it again
        nt.Sigmoid(),
        nt.GELU(),
        nt.Tanh(),
        nt.LayerNorm(WIDTH, dtype=d),
        nt.Tanh(),
        nt.Residual(nt.Tanh(), linear(WIDTH, WIDTH, d, 2), nt.Dropout(0.4, rng=3)),
        nt.Tanh(),
        linear(WIDTH, OUT, d, 3),
        nt.BatchNorm1d(OUT, dtype=d),
        nt.Tanh(),
        nt.Softmax(),
        nt.Sigmoid(),
        nt.Dropout(0.1, rng=4),
    ],
    "narrow layers, some of them beside others": lambda d: [
        linear(WIDTH, 16, d),
        nt.Tanh(),
        nt.SiLU(),
        linear(16, 32, d, 1),
        nt.Dropout(0.3, rng=1),  # feature-major, as what surrounds it
        linear(32, 16, d, 2),
        nt.ReLU(),
        linear(16, 8, d, 3),
        nt.ReLU(),
        nt.Tanh(),
        nt.LayerNorm(8, dtype=d),
        linear(8, 32, d, 4),
        linear(32, 8, d, 5),
        nt.Residual(linear(8, 16, d, 6), nt.ReLU(), linear(16, 8, d, 7)),
        linear(8, OUT, d, 8),
    ],
    "residual of nothing learned": lambda d: [nt.Residual(nt.ReLU()), linear(WIDTH, OUT, d), nt.Softmax()],
}
OPTIMIZERS = {
    "SGD": lambda p: nt.SGD(p, lr=0.002, momentum=0.9, weight_decay=0.01),
    "Adam": lambda p: nt.Adam(p, lr=0.01),
}


def make(name, dtype, loss, optimizer="SGD"):
    model = nt.Sequential(*MODELS[name](dtype))
    for i, parameter in enumerate(model.parameters()):
        parameter.data = parameter.data + normal(parameter.shape, dtype, i) / 8
    return nt.Trainer(model, loss=loss, optimizer=OPTIMIZERS[optimizer](model.parameters()))


def bits(trainer):
    arrays = [p.data for p in trainer.model.parameters()] + list(trainer.model.named_buffers().values())
    return [array.tobytes() for array in arrays]


def assert_same(fused, layers):
    assert fused.fused
    assert not layers.fused
    arrays = zip(fused.model.named_buffers().items(), layers.model.named_buffers().values(), strict=True)
    for (name, ours), theirs in arrays:
        assert same_bits(ours, theirs), name
    for (name, ours), theirs in zip(
        fused.model.named_parameters().items(), layers.model.parameters(), strict=True
    ):
        assert same_bits(ours.data, theirs.data), name


@pytest.mark.parametrize("threads_used", [1, 2, 3, 8])
@pytest.mark.parametrize("name", MODELS)
def test_fused_steps_equal_layer_by_layer(isa, dtype, name, threads_used, threads):
    nt.set_num_threads(threads_used)
    fused, layers = make(name, dtype, nt.MSELoss()), make(name, dtype, OwnLoss())
    for rows in (2, 7, 64, 33):
        x, target = normal((rows, WIDTH), dtype, rows), normal((rows, OUT), dtype, rows + 1)
        assert fused.step(x, target) == layers.step(x, target)
        assert_same(fused, layers)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", MODELS)
def test_fused_epochs_equal_layer_by_layer(dtype, name, optimizer, threads):
    nt.set_num_threads(2)
    fused, layers = make(name, dtype, nt.MSELoss(), optimizer), make(name, dtype, OwnLoss(), optimizer)
    x, target = normal((53, WIDTH), dtype, 3), normal((53, OUT), dtype, 4)
    options = {"epochs": 2, "batch_size": 17, "rng": 5, "validation_data": (x, target)}
    ours, theirs = fused.fit(x, target, **options), layers.fit(x, target, **options)
    assert ours.loss == theirs.loss
    assert ours.validation_loss == theirs.validation_loss
    assert_same(fused, layers)


@pytest.mark.parametrize("threads_used", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["dropout", "residual", "residual of nothing learned", "layer norm"])
def test_large_batches_equal_layer_by_layer(name, threads_used, dtype, threads):
    """Two and three threads take turns with blocks of their own; more share every block."""
    nt.set_num_threads(threads_used)
    fused, layers = make(name, dtype, nt.MSELoss()), make(name, dtype, OwnLoss())
    x, target = normal((9001, WIDTH), dtype, 3), normal((9001, OUT), dtype, 4)
    for _ in range(2):
        assert fused.step(x, target) == layers.step(x, target)
        assert_same(fused, layers)


@pytest.mark.parametrize("name", ["dropout", "batch norm", "residual"])
def test_training_with_buffers_resumes_to_the_same_bits(dtype, name, tmp_path):
    x, target = normal((40, WIDTH), dtype, 3), normal((40, OUT), dtype, 4)
    options = {"epochs": 3, "batch_size": 8}
    whole = make(name, dtype, nt.MSELoss())
    whole.fit(x, target, rng=5, **options)
    first = make(name, dtype, nt.MSELoss())
    first.fit(x, target, rng=5, max_steps=7, **options)
    first.save(tmp_path / "run.safetensors")
    second = make(name, dtype, nt.MSELoss())
    for buffer in second.model.named_buffers().values():
        buffer[...] = 3
    second.load(tmp_path / "run.safetensors")
    second.fit(x, target, resume=True, **options)
    assert bits(second) == bits(whole)


def test_every_table_and_team_gives_the_same_masks(threads):
    found = set()
    x, target = normal((67, WIDTH), "float32", 1), normal((67, OUT), "float32", 2)
    before = _core.active_isa()
    for isa in _core.available_isas():
        _core.select_isa(isa)
        for count in (1, 2, 3):
            nt.set_num_threads(count)
            trainer = make("dropout", np.dtype("float32"), nt.MSELoss())
            trainer.fit(x, target, epochs=2, batch_size=10, rng=1)
            found.add(b"".join(bits(trainer)))
    _core.select_isa(before)
    assert len(found) == 1


def test_batch_of_one_sample_is_refused_before_anything_changes(dtype):
    trainer = make("batch norm", dtype, nt.MSELoss())
    x, target = normal((9, WIDTH), dtype, 3), normal((9, OUT), dtype, 4)
    before = bits(trainer)
    for call in (
        lambda: trainer.step(x[:1], target[:1]),
        lambda: trainer.fit(x, target, batch_size=8),
        lambda: trainer.fit(x, target, batch_size=1),
    ):
        with pytest.raises(ValueError, match="at least 2 samples"):
            call()
    assert bits(trainer) == before


def test_residual_of_another_width_is_refused(dtype):
    model = nt.Sequential(nt.Residual(linear(WIDTH, OUT, dtype)))
    with pytest.raises(ValueError, match="take and give 19 features, got 19 and 5"):
        nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))


def test_dropout_may_change_its_share_between_steps(dtype):
    fused, layers = make("dropout", dtype, nt.MSELoss()), make("dropout", dtype, OwnLoss())
    x, target = normal((8, WIDTH), dtype, 3), normal((8, OUT), dtype, 4)
    for p in (0.3, 0.9, 0.0, 0.5):
        fused.model[2].p = layers.model[2].p = p
        assert fused.step(x, target) == layers.step(x, target)
        assert_same(fused, layers)


def test_own_layer_in_a_residual_trains_layer_by_layer(dtype):
    class Own(nt.ReLU):
        pass

    model = nt.Sequential(nt.Residual(Own()), linear(3, 1, dtype))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    assert not trainer.fused


def test_copies_of_a_trainer_go_on_alike(dtype):
    trainer = make("residual", dtype, nt.MSELoss())
    x, target = normal((8, WIDTH), dtype, 3), normal((8, OUT), dtype, 4)
    trainer.step(x, target)
    other = copy.deepcopy(trainer)
    assert other.step(x, target) == trainer.step(x, target)
    assert bits(other) == bits(trainer)
