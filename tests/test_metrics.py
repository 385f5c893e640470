"""ne_torch.metrics against scikit-learn, and metrics in Trainer.fit."""

import math

import ne_torch as nt
import numpy as np
import pytest
from ne_torch import metrics

import reference
from callback_runs import fit, make_trainer, weights
from samples import normal

sklearn_metrics = pytest.importorskip("sklearn.metrics")

SHAPES = [(2, 2), (3, 2), (50, 7), (1000, 3)]
EPS = np.finfo("float64").eps


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_classification_metrics_parity(shape, dtype):
    prediction = normal(shape, dtype, 1)
    target = np.random.default_rng(2).integers(0, shape[1], shape[0])
    guess = prediction.argmax(1)
    onehot = np.eye(shape[1], dtype=dtype)[target]
    for told in (target, target[:, None], target.astype("uint8"), onehot):
        assert metrics.accuracy(prediction, told) == sklearn_metrics.accuracy_score(target, guess)
        expected = sklearn_metrics.f1_score(target, guess, average="macro")
        assert math.isclose(metrics.f1(prediction, told), expected, rel_tol=shape[1] * EPS)
    for k in range(1, shape[1]):
        expected = (
            sklearn_metrics.top_k_accuracy_score(target, prediction, k=k, labels=range(shape[1]))
            if (shape[1] > 2)
            else sklearn_metrics.accuracy_score(target, guess)
        )
        assert metrics.top_k_accuracy(prediction, target, k) == expected
    assert metrics.top_k_accuracy(prediction, target, shape[1]) == 1


@pytest.mark.parametrize("shape", [(2,), (50,), (50, 1), (1000, 4)], ids=str)
def test_regression_metrics_parity(shape, dtype):
    prediction, target = normal(shape, dtype, 1), normal(shape, dtype, 2)
    pairs = [
        (metrics.mean_absolute_error, sklearn_metrics.mean_absolute_error),
        (metrics.mean_squared_error, sklearn_metrics.mean_squared_error),
        (metrics.root_mean_squared_error, sklearn_metrics.root_mean_squared_error),
    ]
    wide = prediction.astype("float64"), target.astype("float64")
    for ours, theirs in pairs:
        # theirs adds with at most as many roundings as there are terms; of root mean squares it takes the
        # mean over outputs, where torch and we take the root over all
        expected = theirs(wide[1].ravel(), wide[0].ravel())
        assert math.isclose(ours(prediction, target), expected, rel_tol=prediction.size * EPS)
    bound = prediction.size * EPS * (1 + abs(sklearn_metrics.r2_score(wide[1], wide[0])))
    assert abs(metrics.r2(prediction, target) - sklearn_metrics.r2_score(wide[1], wide[0])) <= bound


@pytest.mark.parametrize("prediction", [[1.0, 1.0], [1.0, 2.0]])
def test_r2_of_a_target_that_never_changes(prediction):
    assert metrics.r2(prediction, [1.0, 1.0]) == sklearn_metrics.r2_score([1.0, 1.0], prediction)


def test_r2_of_one_sample_is_nan():
    assert math.isnan(metrics.r2([1.0], [1.0]))


@pytest.mark.parametrize("threshold", [0.5, 0.0])
def test_binary_accuracy_parity(threshold, dtype):
    prediction, target = normal((200, 1), dtype, 1), normal((200, 1), dtype, 2) > 0
    expected = sklearn_metrics.accuracy_score(target, prediction > threshold)
    assert metrics.binary_accuracy(prediction, target, threshold) == expected


def test_accuracy_takes_the_first_of_equal_outputs_and_no_nan():
    assert metrics.accuracy([[1.0, 1.0], [1.0, 1.0]], [0, 1]) == 0.5
    assert metrics.accuracy([[math.nan, 1.0], [1.0, math.nan]], [0, 1]) == 0
    assert metrics.binary_accuracy([math.nan], [0]) == 0


@pytest.mark.parametrize("name", metrics.__all__)
def test_metrics_of_nothing_are_nan(name):
    shape = (0, 3)
    assert math.isnan(getattr(metrics, name)(np.zeros(shape), np.zeros(shape)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mean_absolute_error", math.inf), ("mean_squared_error", math.inf), ("r2", -math.inf)],
)
def test_metrics_of_infinite_predictions(name, expected):
    with np.errstate(all="ignore"):
        found = getattr(metrics, name)([math.inf, 0.0], [0.0, 1.0])
    assert found == expected


def test_sums_are_rounded_once():
    values = np.array([1e16, 1.0, -1e16, 1.0])
    assert metrics._mean(values) == 0.5


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: metrics.accuracy(np.zeros((3, 1)), [0, 0, 0]), "for one output there is binary_accuracy"),
        (lambda: metrics.accuracy(np.zeros((3, 2)), [0, 0]), "got int64 of shape"),
        (lambda: metrics.accuracy(np.zeros((3, 2)), [0.0, 0.0, 1.0]), "integers of shape"),
        (lambda: metrics.accuracy(np.zeros((3, 2)), [0, 2, 1]), "class indices from 0 to 1, got 0 to 2"),
        (lambda: metrics.f1(np.zeros((3, 2)), [0, -1, 1]), "f1: expected class indices"),
        (lambda: metrics.mean_absolute_error([1.0], [[1.0]]), "of one shape"),
        (lambda: metrics.r2([1.0, 2.0], [1.0]), "r2: expected prediction and target of one shape"),
    ],
)
def test_wrong_shapes_of_metrics_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def widest(prediction, target):
    return np.abs(prediction - target).max()


def test_fit_records_metrics_of_all_validation_data():
    seen = []

    def rows(prediction, target):
        seen.append((prediction.shape, target.shape))
        return len(prediction)

    validation = normal((2050, 6), "float32", 7), normal((2050, 3), "float32", 8)  # three blocks
    trainer = make_trainer()
    history = fit(trainer, [], metrics=[rows, "r2", widest], validation_data=validation)
    assert seen == [((2050, 3), (2050, 3))] * 6
    assert history.metrics["rows"] == [2050.0] * 6
    prediction = trainer.model(validation[0])
    assert history.metrics["r2"][-1] == metrics.r2(prediction, validation[1])
    assert history.validation_widest[-1] == float(widest(prediction, validation[1]))
    assert list(history.columns()) == [
        "loss", "validation_loss", "validation_rows", "validation_r2", "validation_widest", "seconds",
    ]  # fmt: skip


def test_metrics_change_no_bit_of_training():
    one, other = make_trainer(), make_trainer()
    assert fit(one, [], metrics=["r2"]).validation_loss == fit(other, []).validation_loss
    assert weights(one) == weights(other)


def test_metrics_named_by_a_dict():
    history = fit(make_trainer(), [], metrics={"far": widest, "sq": metrics.mean_squared_error})
    assert set(history.metrics) == {"far", "sq"}
    reference.assert_within(history.metrics["sq"][-1], history.validation_loss[-1], 60 * 2**-23)


def test_metrics_are_saved_and_resumed(tmp_path):
    whole, part, other = make_trainer(), make_trainer(), make_trainer()
    expected = fit(whole, [], metrics=["r2"])
    fit(part, [], metrics=["r2"], max_steps=17)
    part.save(tmp_path / "run.safetensors")
    other.load(tmp_path / "run.safetensors")
    assert fit(other, [], metrics=["r2"], resume=True).metrics == expected.metrics


def test_metrics_added_at_a_resumption_have_no_numbers_before():
    trainer = make_trainer()
    fit(trainer, [], epochs=2)
    history = fit(trainer, [], epochs=3, metrics=["r2"], resume=True)
    assert [math.isnan(value) for value in history.metrics["r2"]] == [True, True, False]


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"metrics": ["skill"]}, ValueError, "expected a metric of .*'accuracy'.*got 'skill'"),
        ({"metrics": ["r2", "r2"]}, ValueError, "expected metrics of different names"),
        ({"metrics": {"a": 3}}, TypeError, "expected metric 'a' to be callable, got 3"),
        ({"metrics": {"loss": widest}}, ValueError, "another name"),
        ({"metrics": [3]}, TypeError, "callable"),
        ({"metrics": 3}, TypeError, "iterable"),
        ({"metrics": ["r2"], "validation_data": None}, ValueError, "expected validation_data to measure"),
    ],
)
def test_wrong_metrics_are_refused_before_training(options, error, says):
    trainer = make_trainer()
    before = weights(trainer)
    with pytest.raises(error, match=says):
        fit(trainer, [], **options)
    assert weights(trainer) == before


def test_metric_that_returns_no_number_is_an_error():
    with pytest.raises(TypeError, match="expected metric 'whole' to return a number, got str"):
        fit(make_trainer(), [], metrics={"whole": lambda *_: "much"})


def test_history_tells_what_it_has():
    history = fit(make_trainer(), [], metrics=["r2"], epochs=1)
    with pytest.raises(AttributeError, match=r"validation_accuracy.*r2"):
        history.validation_accuracy  # noqa: B018
    assert repr(history).startswith(f"History(loss={history.loss}, validation_loss={history.validation_loss}")
    assert not hasattr(nt.History(), "validation_r2")
