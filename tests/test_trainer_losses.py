"""Training on every loss: fused as layer by layer, weighted or not; evaluation; what is refused."""

import math

import ne_torch as nt
import numpy as np
import pytest

import reference
from reference_losses import CASES, case_of
from samples import same_bits

ROWS, IN, CLASSES = 37, 5, 6


class TheirReLU(nt.ReLU):
    """A layer of a user's own, unknown to the engine."""


def build(relu, dtype):
    layers = nt.Linear(IN, 8, dtype=dtype, rng=0), relu(), nt.Linear(8, CLASSES, dtype=dtype, rng=1)
    return nt.Sequential(*layers)


def problem(case, dtype):
    """Return inputs, targets and weights of a training."""
    _, target = case.data(ROWS, CLASSES, dtype)
    generator = np.random.default_rng(1)
    x = generator.standard_normal((ROWS, IN)).astype(dtype)
    return x, target, generator.choice([0.0, 0.5, 2.0], ROWS).astype(dtype)


def train(relu, case, dtype, reduction, weighted):
    x, target, weight = problem(case, dtype)
    weight = weight if weighted else None
    first = None if weight is None else weight[:9]
    model = build(relu, dtype)
    trainer = nt.Trainer(
        model, loss=case.ours(reduction), optimizer=nt.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    )
    losses = [trainer.step(x[:9], target[:9], first) for _ in range(2)]
    losses += trainer.fit(x, target, sample_weight=weight, epochs=2, batch_size=16, rng=5).loss
    losses += trainer.fit(x, target, sample_weight=weight, batch_size=16, shuffle=False).loss
    losses.append(trainer.evaluate(x, target, weight))
    return trainer.fused, losses, [parameter.data.tobytes() for parameter in model.parameters()]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_fused_equals_layer_by_layer_for_every_loss(case, reduction, weighted, isa, dtype, threads):
    nt.set_num_threads(1)
    if case.options.get("log_input") is False and not case.options.get("eps"):
        pytest.skip("rates have to be positive")
    expected = train(TheirReLU, case, dtype, reduction, weighted)
    assert not expected[0]
    for count in (1, 3):
        nt.set_num_threads(count)
        fused, losses, parameters = train(nt.ReLU, case, dtype, reduction, weighted)
        assert fused
        assert same_bits(losses, expected[1])
        assert parameters == expected[2]


@pytest.mark.parametrize("rows", [700, 2048])
def test_large_batches_of_classes_are_shared_to_the_same_bits(rows, dtype, threads):
    def trained(count):
        nt.set_num_threads(count)
        layers = nt.Linear(64, 128, dtype=dtype, rng=0), nt.ReLU(), nt.Linear(128, 11, dtype=dtype, rng=1)
        model = nt.Sequential(*layers)
        loss = nt.CrossEntropyLoss(np.arange(11) + 0.5, ignore_index=3, label_smoothing=0.1)
        trainer = nt.Trainer(model, loss=loss, optimizer=nt.SGD(model.parameters(), lr=0.1))
        generator = np.random.default_rng(0)
        x = generator.standard_normal((rows, 64)).astype(dtype)
        target, weight = generator.integers(0, 11, rows), generator.random(rows).astype(dtype)
        losses = [trainer.step(x, target, weight) for _ in range(2)]
        losses += trainer.fit(x, target, sample_weight=weight, batch_size=256, rng=1).loss
        return losses, [parameter.data.tobytes() for parameter in model.parameters()]

    assert trained(1) == trained(2) == trained(5)


@pytest.mark.parametrize("case", [case_of("mse"), case_of("cross_entropy", {}, "ignored")], ids=str)
def test_evaluate_is_the_loss_of_all_rows_as_one_batch(case, dtype):
    rows = 2500  # more than are evaluated at once
    _, target = case.data(rows, CLASSES, dtype)
    generator = np.random.default_rng(0)
    x, weight = generator.standard_normal((rows, IN)).astype(dtype), generator.random(rows).astype(dtype)
    model = build(nt.ReLU, dtype)
    for reduction in ("mean", "sum"):
        trainer = nt.Trainer(model, loss=case.ours(reduction), optimizer=nt.SGD(model.parameters(), lr=0.1))
        for w in (None, weight):
            expected = case.ours(reduction)(model(x), target, w)
            # positive numbers, summed in float64 in another order
            reference.assert_within(
                trainer.evaluate(x, target, w), expected, reference.tolerance("float64", rows + 4, expected)
            )


def test_batch_of_ignored_samples_changes_nothing_but_the_loss():
    model = build(nt.ReLU, "float32")
    trainer = nt.Trainer(model, loss=nt.CrossEntropyLoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    before = [parameter.data.copy() for parameter in model.parameters()]
    assert math.isnan(trainer.step(np.ones((3, IN), "float32"), np.full(3, -100)))
    assert all(same_bits(p.data, b) for p, b in zip(model.parameters(), before, strict=True))


def test_weight_of_two_counts_as_two_samples(dtype):
    x, target, _ = problem(case_of("mse"), dtype)
    model = build(nt.ReLU, dtype)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.1))
    weight = np.ones(ROWS, dtype)
    weight[3] = 2
    twice = np.r_[np.arange(ROWS), 3]
    expected = trainer.evaluate(x[twice], target[twice])
    bound = reference.tolerance("float64", ROWS * CLASSES + 8, expected)
    reference.assert_within(trainer.evaluate(x, target, weight), expected, bound)


def test_validation_data_may_have_weights(dtype):
    x, target, weight = problem(case_of("mse"), dtype)
    model = build(nt.ReLU, dtype)
    trainer = nt.Trainer(model, loss=nt.MSELoss(), optimizer=nt.SGD(model.parameters(), lr=0.01))
    history = trainer.fit(x, target, epochs=1, validation_data=(x, target, weight))
    assert history.validation_loss == [trainer.evaluate(x, target, weight)]


class Squared:
    """A loss of a user's own, of two arguments."""

    def forward(self, prediction, target):
        self._difference = prediction - target
        return float(np.square(self._difference).sum())

    def backward(self):
        return 2 * self._difference


def test_loss_of_a_users_own_trains_layer_by_layer(dtype):
    x, target, _ = problem(case_of("mse"), dtype)
    model = build(nt.ReLU, dtype)
    trainer = nt.Trainer(model, loss=Squared(), optimizer=nt.SGD(model.parameters(), lr=1e-4))
    assert not trainer.fused
    first = trainer.evaluate(x, target)
    trainer.fit(x, target, epochs=3, batch_size=16)
    assert trainer.evaluate(x, target) < first


def test_cross_entropy_learns_classes(isa):
    generator = np.random.default_rng(0)
    target = generator.integers(0, 3, 300)
    x = (np.eye(3)[target] + 0.1 * generator.standard_normal((300, 3))).astype("float32")
    model = nt.Sequential(nt.Linear(3, 16, rng=0), nt.ReLU(), nt.Linear(16, 3, rng=1))
    trainer = nt.Trainer(model, loss=nt.CrossEntropyLoss(), optimizer=nt.Adam(model.parameters(), lr=0.01))
    trainer.fit(x, target.astype("int32"), epochs=20, batch_size=32, rng=0)
    assert trainer.fused
    assert (model(x).argmax(1) == target).mean() == 1.0


def test_receipt_of_another_loss_is_confirmed(tmp_path):
    from ne_torch.receipt import verify

    x, target, weight = problem(case_of("cross_entropy", {}, "classes"), "float32")
    model = build(nt.ReLU, "float32")
    loss = nt.CrossEntropyLoss([1.0, 2, 3, 4, 5, 6], label_smoothing=0.1)
    trainer = nt.Trainer(model, loss=loss, optimizer=nt.SGD(model.parameters(), lr=0.1))
    trainer.fit(x, target, sample_weight=weight, epochs=2, rng=0, receipt=tmp_path / "run.json")
    assert verify(tmp_path / "run.json", (x, target, weight)) is None
    with pytest.raises(ValueError, match="expected sample_weight to be"):
        verify(tmp_path / "run.json", (x, target))


def test_file_of_a_trainer_tells_the_loss(tmp_path):
    def trainer(loss):
        model = build(nt.ReLU, "float32")
        return nt.Trainer(model, loss=loss, optimizer=nt.SGD(model.parameters(), lr=0.1))

    trainer(nt.HuberLoss(delta=2.0)).save(tmp_path / "t.safetensors")
    trainer(nt.HuberLoss(delta=2.0)).load(tmp_path / "t.safetensors")
    with pytest.raises(ValueError, match=r"expected the loss .*HuberLoss.*got HuberLoss\(\)"):
        trainer(nt.HuberLoss()).load(tmp_path / "t.safetensors")
