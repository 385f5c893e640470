"""The engine gives the bits of training layer by layer, for any team and any batch."""

from __future__ import annotations

import copy
import itertools
import pickle

import ne_torch as nt
import numpy as np
import pytest

SGD = {
    "plain": {"lr": 0.002},
    "all": {"lr": 0.002, "momentum": 0.9, "weight_decay": 1e-3, "nesterov": True},
}
ARCHITECTURES = [(784, 128, 10), (33, 70, 19, 3), (257, 129, 65), (4, 32, 32, 1), (3, 1)]


class TheirReLU(nt.ReLU):
    """A layer of a user's own, unknown to the engine."""


class TheirTanh(nt.Tanh):
    """Another one."""


class TheirSiLU(nt.SiLU):
    """Another one, whose derivative is of its input."""


def build(widths, dtype, activation, ends=False):
    layers = [activation()] if ends else []
    for i, (n, m) in enumerate(itertools.pairwise(widths)):
        layers.append(nt.Linear(n, m, bias=i != 1, dtype=dtype, rng=i))
        if i < len(widths) - 2:
            layers.append(activation())
    return nt.Sequential(*layers, *([nt.Softmax(), activation()] if ends else []))


def train(model, dtype, batch, options, rows=None):
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), **options))
    generator = np.random.default_rng(0)
    rows = rows or 2 * batch + 3
    linears = [layer for layer in model if isinstance(layer, nt.Linear)]
    x = generator.standard_normal((rows, linears[0].in_features)).astype(dtype)
    target = generator.standard_normal((rows, linears[-1].out_features)).astype(dtype)
    losses = [trainer.step(x[:batch], target[:batch]) for _ in range(3)]
    losses += trainer.fit(x, target, epochs=2, batch_size=batch, rng=5).loss
    losses += trainer.fit(x, target, epochs=1, batch_size=batch, shuffle=False).loss
    return trainer.fused, losses, [parameter.data.tobytes() for parameter in model.parameters()]


def assert_equals_layer_by_layer(widths, dtype, batch, counts, rows=None, theirs=TheirReLU):
    """The engine, with each number of threads, has the bits of layers that it does not know, with one."""
    nt.set_num_threads(1)
    expected = train(build(widths, dtype, theirs), dtype, batch, SGD["all"], rows)
    for count in counts:
        nt.set_num_threads(count)
        actual = train(build(widths, dtype, theirs.__base__), dtype, batch, SGD["all"], rows)
        assert (expected[0], actual[0]) == (False, True)
        assert actual[1:] == expected[1:]


@pytest.mark.parametrize("options", SGD.values(), ids=SGD)
@pytest.mark.parametrize("batch", [1, 5, 16, 17, 64, 100])
@pytest.mark.parametrize("widths", ARCHITECTURES, ids=str)
def test_fused_equals_layer_by_layer(widths, batch, options, dtype, threads):
    if widths == (3, 1):
        reference = nt.Sequential(TheirReLU(), nt.Linear(3, 1, dtype=dtype, rng=0))
        model = lambda: nt.Sequential(nt.ReLU(), nt.Linear(3, 1, dtype=dtype, rng=0))  # noqa: E731
    else:
        reference = build(widths, dtype, TheirReLU)
        model = lambda: build(widths, dtype, nt.ReLU)  # noqa: E731
    nt.set_num_threads(1)
    expected = train(reference, dtype, batch, options)
    assert not expected[0]
    for count in (1, 2, 3, 8):
        nt.set_num_threads(count)
        fused, losses, parameters = train(model(), dtype, batch, options)
        assert fused
        assert losses == expected[1]
        assert parameters == expected[2]


@pytest.mark.parametrize("batch", [2000, 5003])
def test_batches_trained_in_blocks_equal_layer_by_layer(batch, isa, dtype, threads):
    """Gradients are taken up again at every block, and with a shuffle blocks are gathered one by one."""
    assert_equals_layer_by_layer((33, 70, 19, 3), dtype, batch, counts=(1, 2, 3), rows=2 * batch)


@pytest.mark.parametrize(
    ("widths", "batch"),
    [
        ((1, 40, 2), 32),
        ((4, 34, 3), 15),
        ((4, 34, 3), 32),
        ((4, 300, 3), 210),  # shared by a team
        ((4, 34, 3), 5003),  # in blocks, of a team or in turns
        ((8, 33, 5), 5003),
    ],
    ids=str,
)
def test_few_inputs_equal_layer_by_layer(widths, batch, isa, dtype, threads):
    """The gradient of weights that would leave lanes idle is computed turned, from some samples on."""
    assert_equals_layer_by_layer(widths, dtype, batch, counts=(1, 2, 4))


@pytest.mark.parametrize("theirs", [TheirReLU, TheirTanh, TheirSiLU])
@pytest.mark.parametrize(
    ("widths", "batch"),
    [
        ((4, 32, 16, 4), 33),
        ((4, 32, 16, 4), 2500),  # in blocks, of a team or in turns
        ((9, 8, 16, 7, 32, 3), 40),  # one in between that is feature-major
        ((64, 64, 64, 64), 70),  # shared by a team: samples, or features where samples do not fill vectors
    ],
    ids=str,
)
def test_narrow_layers_equal_layer_by_layer(widths, batch, theirs, isa, dtype, threads):
    """Values between layers that fill a panel lie batch-major."""
    assert_equals_layer_by_layer(widths, dtype, batch, counts=(1, 2, 3, 5), theirs=theirs)


@pytest.mark.parametrize("batch", [8, 16, 40])
@pytest.mark.parametrize("widths", [(1024, 24, 10), (512, 40, 2048, 5)], ids=str)
def test_widths_of_a_power_of_two_equal_layer_by_layer(widths, batch, dtype, threads):
    """Rows that share few sets of the cache are gone through in another order, or copied."""
    assert_equals_layer_by_layer(widths, dtype, batch, counts=(1, 2))


def test_weights_beyond_the_cache_equal_layer_by_layer(dtype, threads):
    """Weights and velocities of more than 3 MiB are gone through along their rows."""
    assert_equals_layer_by_layer((1003, 530, 3), dtype, 21, counts=(1,))


def test_fused_equals_layer_by_layer_with_activations_at_both_ends(isa, dtype):
    expected = train(build((33, 70, 19, 3), dtype, TheirReLU, ends=True), dtype, 17, SGD["all"])
    actual = train(build((33, 70, 19, 3), dtype, nt.ReLU, ends=True), dtype, 17, SGD["all"])
    assert (expected[0], actual[0]) == (False, True)
    assert actual[1:] == expected[1:]


def test_training_has_the_same_bits_on_every_instruction_set(isa, other_isa, dtype):
    from ne_torch import _core

    one = train(build((70, 45, 10), dtype, nt.ReLU), dtype, 33, SGD["all"])
    _core.select_isa(other_isa)
    assert train(build((70, 45, 10), dtype, nt.ReLU), dtype, 33, SGD["all"]) == one


def test_parameters_stay_the_layers_own_arrays():
    model = build((5, 4, 2), "float32", nt.ReLU)
    weight = model[0].weight
    before = weight.copy()
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    trainer.step(np.ones((3, 5), "float32"), np.ones((3, 2), "float32"))
    assert model[0].weight is weight
    assert (weight != before).any()


def test_a_changed_model_is_trained_as_it_is_now():
    model = build((5, 4, 2), "float64", nt.ReLU)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    x, target = np.ones((3, 5)), np.zeros((3, 2))
    trainer.step(x, target)
    model.append(nt.Softmax())
    expected = nt.MSELoss().forward(model.forward(x), target)
    assert trainer.step(x, target) == expected
    assert trainer.fused


def test_hyperparameters_may_change_between_steps():
    def run(relu):
        model = build((5, 4, 2), "float32", relu)
        optimizer = nt.SGD(model.parameters(), lr=0.1)
        trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=optimizer)
        x, target = np.ones((3, 5), "float32"), np.zeros((3, 2), "float32")
        for optimizer.lr, optimizer.momentum in ((0.1, 0.0), (0.05, 0.9), (0.05, 0.9), (0.2, 0.0)):
            trainer.step(x, target)
        return [parameter.data.tobytes() for parameter in model.parameters()]

    assert run(nt.ReLU) == run(TheirReLU)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda trainer: pickle.loads(pickle.dumps(trainer))])
def test_a_copy_of_a_trainer_trains_on_its_own(duplicate):
    model = build((5, 4, 2), "float32", nt.ReLU)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1, momentum=0.5))
    x, target = np.ones((3, 5), "float32"), np.zeros((3, 2), "float32")
    trainer.step(x, target)
    twin = duplicate(trainer)
    assert twin.fused
    weight = model[0].weight.copy()
    losses = [twin.step(x, target) for _ in range(3)]
    np.testing.assert_array_equal(model[0].weight, weight)
    assert losses == [trainer.step(x, target) for _ in range(3)]


@pytest.mark.parametrize(
    ("x", "target", "error", "message"),
    [
        (
            np.ones((3, 4), "f4"),
            np.ones((3, 2), "f4"),
            ValueError,
            r"Trainer.step.*\(\.\.\., 5\), got \(3, 4\)",
        ),
        (np.ones((3, 5), "f4"), np.ones((3, 1), "f4"), ValueError, r"target of shape \(3, 2\).*got \(3, 1\)"),
        (np.ones((3, 5), "f8"), np.ones((3, 2), "f4"), TypeError, "float32.*float64.*astype"),
        (np.ones((3, 5), "i4"), np.ones((3, 2), "f4"), TypeError, "float32.*int32.*astype"),
        (np.ones((0, 5), "f4"), np.ones((0, 2), "f4"), ValueError, "at least one row"),
    ],
)
def test_a_refused_step_changes_nothing(x, target, error, message):
    model = build((5, 4, 2), "float32", nt.ReLU)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    before = model.state_dict()
    with pytest.raises(error, match=message):
        trainer.step(x, target)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_layers_that_do_not_fit_are_refused_by_name():
    model = nt.Sequential(nt.Linear(5, 4), nt.Linear(3, 2))
    with pytest.raises(ValueError, match=r"in_features=4.*got in_features=3"):
        nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
