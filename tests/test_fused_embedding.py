"""TabularEmbedding in the engine: the bits of layer by layer, and codes that are none."""

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import _core

from samples import normal, same_bits
from test_fused_layers import OwnLoss, assert_same, bits, linear
from test_memory import MEGABYTE, growth, on_linux

OUT = 3
CATEGORIES = {1: (7, 5), 4: (40, 2), 2: (1, 3)}  # column 4 has codes that never come
FEATURES = 6

OPTIMIZERS = {
    "SGD": lambda p: nt.SGD(p, lr=0.01),
    "SGD momentum": lambda p: nt.SGD(p, lr=0.002, momentum=0.9, weight_decay=0.01, nesterov=True),
    "Adam": lambda p: nt.Adam(p, lr=0.01, weight_decay=0.1),
    "Adam amsgrad": lambda p: nt.Adam(p, lr=0.01, amsgrad=True),
    "AdamW": lambda p: nt.AdamW(p, lr=0.01),
    "RMSprop": lambda p: nt.RMSprop(p, lr=0.002, momentum=0.5, centered=True),
    "Adagrad": lambda p: nt.Adagrad(p, lr=0.01),
    "groups": lambda p: nt.Adam(
        [{"params": p[1:2], "lr": 0.03}, {"params": p[2:]}, {"params": p[:1], "betas": (0.5, 0.9)}], lr=0.01
    ),
}
CLIPPING = {"none": {}, "norm": {"clip_grad_norm": 0.05}, "value": {"clip_grad_value": 0.002}}


def make(dtype, loss=nt.MSELoss, optimizer="Adam", behind=(), **options):
    table = nt.TabularEmbedding(FEATURES, CATEGORIES, dtype=dtype, rng=0)
    layers = [linear(table.out_features, 17, dtype, 1), nt.ReLU(), linear(17, OUT, dtype, 2)]
    model = nt.Sequential(table, *behind, *layers)
    return nt.Trainer(model, loss=loss(), optimizer=OPTIMIZERS[optimizer](model.parameters()), **options)


def problem(rows, dtype, seed=3):
    x = normal((rows, FEATURES), dtype, seed)
    random = np.random.default_rng(seed)
    for column, (count, _) in CATEGORIES.items():
        x[:, column] = random.integers(0, min(count, 30), rows)
    return x, normal((rows, OUT), dtype, seed + 1)


@pytest.mark.parametrize("threads_used", [1, 3])
def test_fused_steps_equal_layer_by_layer(isa, dtype, threads_used, threads):
    nt.set_num_threads(threads_used)
    fused, layers = make(dtype), make(dtype, OwnLoss)
    for rows in (1, 2, 7, 64, 33, 1500):
        x, target = problem(rows, dtype, rows)
        x[0, 1] = -0.0  # code 0
        assert fused.step(x, target) == layers.step(x, target)
        assert_same(fused, layers)


@pytest.mark.parametrize("clipping", CLIPPING)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_fused_epochs_equal_layer_by_layer(dtype, optimizer, clipping, threads):
    nt.set_num_threads(2)
    fused = make(dtype, nt.MSELoss, optimizer, **CLIPPING[clipping])
    layers = make(dtype, OwnLoss, optimizer, **CLIPPING[clipping])
    x, target = problem(203, dtype)
    options = {"epochs": 2, "batch_size": 64, "rng": 5, "validation_data": (x, target)}
    ours, theirs = fused.fit(x, target, **options), layers.fit(x, target, **options)
    assert (ours.loss, ours.validation_loss) == (theirs.loss, theirs.validation_loss)
    assert_same(fused, layers)


@pytest.mark.parametrize("clipping", CLIPPING)
@pytest.mark.parametrize("threads_used", [1, 3])
def test_batches_of_several_blocks_equal_layer_by_layer(isa, threads_used, clipping, threads):
    nt.set_num_threads(threads_used)
    fused = make(np.dtype("float32"), **CLIPPING[clipping])
    layers = make(np.dtype("float32"), OwnLoss, **CLIPPING[clipping])
    for rows in (9000, 10):
        x, target = problem(rows, "float32", rows)
        assert fused.step(x, target) == layers.step(x, target)
        assert_same(fused, layers)


def test_numbers_alone_and_categories_alone(dtype):
    for features, categories in ((4, {}), (2, {0: (3, 2), 1: (5, 1)})):

        def trained(loss, features=features, categories=categories):
            table = nt.TabularEmbedding(features, categories, dtype=dtype, rng=0)
            model = nt.Sequential(table, linear(table.out_features, OUT, dtype))
            trainer = nt.Trainer(model, loss=loss, optimizer=nt.SGD(model.parameters(), lr=0.1))
            x = (np.arange(20 * features).reshape(20, features) % 3).astype(dtype)
            trainer.step(x, normal((20, OUT), dtype))
            return trainer

        assert_same(trained(nt.MSELoss()), trained(OwnLoss()))


def test_table_alone_is_a_model(dtype):
    trainers = []
    for loss in (nt.MSELoss(), OwnLoss()):
        model = nt.Sequential(nt.TabularEmbedding(FEATURES, CATEGORIES, dtype=dtype, rng=0))
        trainers.append(nt.Trainer(model, loss=loss, optimizer=nt.SGD(model.parameters(), lr=0.1)))
        x, _ = problem(50, dtype)
        trainers[-1].step(x, normal((50, model[0].out_features), dtype))
    assert_same(*trainers)


def test_other_layers_behind_the_table(dtype, threads):
    """Dropout counts its passes and batch normalisation keeps its means as if the table were not there."""
    width = nt.TabularEmbedding(FEATURES, CATEGORIES).out_features
    fused, layers = (
        make(dtype, loss, behind=(nt.BatchNorm1d(width, dtype=dtype), nt.Dropout(0.2, rng=1)))
        for loss in (nt.MSELoss, OwnLoss)
    )
    x, target = problem(300, dtype)
    for _ in range(2):
        assert fused.step(x, target) == layers.step(x, target)
        assert_same(fused, layers)


@pytest.mark.parametrize(
    "layers",
    [
        lambda table, head: [nt.Identity(), table, head],
        lambda table, head: [nt.Dropout(0.0), table, head],
        lambda table, head: [nt.Residual(table), head],
    ],
)
def test_tables_further_in_train_layer_by_layer(layers):
    table = nt.TabularEmbedding(3, {0: (4, 1)}, rng=0)
    model = nt.Sequential(*layers(table, nt.Linear(3, OUT, rng=1)))
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    assert not trainer.fused
    before = table.embeddings[0].weight.copy()
    trainer.step(np.ones((4, 3), "float32"), normal((4, OUT), "float32"))
    assert not same_bits(table.embeddings[0].weight, before)


WRONG = [7, -1, 0.5, np.nan, np.inf, -np.inf, 1e30, 0.1]
SAYS = "^TabularEmbedding: expected codes from 0 to 6 in column 1, got "


def make_with_buffers(dtype, loss, norm):
    """Return a trainer of a model that keeps more than parameters; with norm, a batch is one block."""
    width = nt.TabularEmbedding(FEATURES, CATEGORIES).out_features
    behind = [nt.BatchNorm1d(width, dtype=dtype)] if norm else []
    return make(dtype, loss, behind=(*behind, nt.Dropout(0.2, rng=1)))


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize(("rows", "row", "norm"), [(41, 0, True), (41, 40, True), (4096, 4000, False)])
def test_a_step_on_a_wrong_code_changes_nothing(isa, dtype, value, rows, row, norm, threads):
    nt.set_num_threads(2)
    fused, layers = (make_with_buffers(dtype, loss, norm) for loss in (nt.MSELoss, OwnLoss))
    x, target = problem(rows, dtype)
    wrong = x.copy()
    wrong[row, 1] = value
    says = []
    for trainer in (fused, layers):
        trainer.step(x, target)
        before = bits(trainer)
        with pytest.raises(ValueError, match=SAYS) as error:
            trainer.step(wrong, target)
        says.append(str(error.value))
        assert bits(trainer) == before
        trainer.step(x, target)  # by an optimizer that has not counted the step either
    assert says[0] == says[1]
    assert_same(fused, layers)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("threads_used", [1, 2])
def test_an_epoch_ends_before_the_step_on_a_wrong_code(dtype, shuffle, threads_used, threads, tmp_path):
    """The steps before stand, as layer by layer, and training goes on from there once the code is mended."""
    nt.set_num_threads(threads_used)
    whole, fused, layers = make(dtype), make(dtype), make(dtype, OwnLoss)
    x, target = problem(203, dtype)
    options = {"epochs": 2, "batch_size": 16, "shuffle": shuffle}
    whole.fit(x, target, rng=5, **options)
    wrong = x.copy()
    wrong[77, 1] = 7
    for trainer in (fused, layers):
        with pytest.raises(ValueError, match=SAYS + "7"):
            trainer.fit(wrong, target, rng=5, **options)
    assert fused._state.cursor == layers._state.cursor
    assert fused._state.cursor[0] > 0
    assert_same(fused, layers)
    fused.save(tmp_path / "run.safetensors")
    other = make(dtype)
    other.load(tmp_path / "run.safetensors")
    for trainer in (fused, layers, other):
        trainer.fit(x, target, resume=True, **options)
        assert bits(trainer) == bits(whole)


def test_a_schedule_stops_before_the_step_on_a_wrong_code(dtype):
    trainers = []
    for loss in (nt.MSELoss, OwnLoss):
        plain = make(dtype, loss)
        scheduler = nt.lr_scheduler.OneCycleLR(plain.optimizer, max_lr=0.1, total_steps=100)
        trainer = nt.Trainer(plain.model, loss=loss(), optimizer=plain.optimizer, scheduler=scheduler)
        x, target = problem(203, dtype)
        x[150, 1] = 7
        with pytest.raises(ValueError, match=SAYS):
            trainer.fit(x, target, batch_size=16, shuffle=False)
        with pytest.raises(ValueError, match=SAYS):
            trainer.step(x, target)
        trainers.append(trainer)
    assert_same(*trainers)
    fused, layers = (trainer.scheduler for trainer in trainers)
    assert fused.state_dict() == layers.state_dict()
    assert trainers[0].optimizer.lr == trainers[1].optimizer.lr


def test_an_input_that_changes_in_an_epoch_is_checked_again(dtype):
    trainer = make(dtype)
    x, target = problem(64, dtype)

    def spoil(epoch, history):
        x[3, 1] = 1e9

    with pytest.raises(ValueError, match=SAYS):
        trainer.fit(x, target, epochs=2, batch_size=16, rng=1, callbacks=[spoil])
    assert len(trainer._state.history.loss) == 1


@pytest.mark.parametrize("shuffle", [True, False])
def test_codes_in_bytes(isa, dtype, shuffle):
    x = np.random.default_rng(1).integers(0, 7, (203, FEATURES)).astype("uint8")
    x[:, 2] = 0
    scaled = nt.data.Scaled(x, scale=1.0)
    target = problem(203, dtype)[1]
    one, other, layers = make(dtype), make(dtype), make(dtype, OwnLoss)
    options = {"epochs": 2, "batch_size": 32, "rng": 5, "shuffle": shuffle}
    for trainer, data in ((one, scaled), (other, x.astype(dtype)), (layers, scaled)):
        trainer.fit(data, target, **options)
        assert bits(trainer) == bits(one)
    x[77, 1] = 7
    for trainer in (one, layers):
        with pytest.raises(ValueError, match=SAYS + "7"):
            trainer.fit(scaled, target, **options)
    assert_same(one, layers)


def test_batches_made_on_the_way(dtype):
    x, target = problem(96, dtype)
    wrong = x.copy()
    wrong[70, 1] = np.nan

    def batches(values):
        return nt.data.Batches(lambda _: ((values[i : i + 32], target[i : i + 32]) for i in (0, 32, 64)))

    fused, layers = make(dtype), make(dtype, OwnLoss)
    for trainer in (fused, layers):
        trainer.fit(batches(x))
        with pytest.raises(ValueError, match=SAYS + "nan"):
            trainer.fit(batches(wrong))
        assert trainer._state.cursor[0] == 64
    assert_same(fused, layers)


def test_training_resumes_to_the_same_bits(dtype, tmp_path):
    x, target = problem(40, dtype)
    options = {"epochs": 3, "batch_size": 8}
    whole, first, second = (make(dtype, optimizer="Adam amsgrad") for _ in range(3))
    whole.fit(x, target, rng=5, **options)
    first.fit(x, target, rng=5, max_steps=7, **options)
    first.save(tmp_path / "run.safetensors")
    second.load(tmp_path / "run.safetensors")
    second.fit(x, target, resume=True, **options)
    assert bits(second) == bits(whole)


def test_every_table_and_team_trains_alike(threads):
    found = set()
    x, target = problem(203, "float32")
    before = _core.active_isa()
    for isa in _core.available_isas():
        _core.select_isa(isa)
        for count in (1, 2, 3, 8):
            nt.set_num_threads(count)
            trainer = make(np.dtype("float32"), clip_grad_norm=0.05)
            trainer.fit(x, target, epochs=2, batch_size=64, rng=1)
            found.add(b"".join(bits(trainer)))
    _core.select_isa(before)
    assert len(found) == 1


@on_linux
def test_steps_keep_no_memory():
    trainer = make(np.dtype("float32"), clip_grad_norm=0.05)
    x, target = problem(64, "float32")
    wrong = x.copy()
    wrong[3, 1] = 7

    def steps():
        for _ in range(10_000):
            trainer.step(x, target)
            with pytest.raises(ValueError, match="codes"):
                trainer.step(wrong, target)

    assert growth(steps) < MEGABYTE
