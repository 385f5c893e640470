"""What ne_torch.sklearn can do besides scikit-learn's perceptrons."""

import inspect
import pickle

import ne_torch as nt
import numpy as np
import pytest
from ne_torch.sklearn import MLPClassifier, MLPRegressor
from ne_torch.sklearn.parameters import ACTIVATIONS

from sklearn import neural_network as theirs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 240
X = np.random.RandomState(0).normal(size=(N, 4))
RARE = np.where(X[:, 0] + 0.5 * X[:, 1] > 1.3, "rare", "usual")
VALUE = X[:, 0] - 0.5 * X[:, 1]
COMMON = {"hidden_layer_sizes": (16,), "random_state": 0, "learning_rate_init": 0.01, "max_iter": 60}


def test_arguments_begin_with_those_of_scikit_learn():
    for ours, their in ((MLPClassifier, theirs.MLPClassifier), (MLPRegressor, theirs.MLPRegressor)):
        expected = inspect.signature(their).parameters
        found = inspect.signature(ours).parameters
        assert list(found)[: len(expected)] == list(expected)
        for name, parameter in expected.items():
            assert (found[name].default, found[name].kind) == (parameter.default, parameter.kind)


@pytest.mark.parametrize("factors", ["balanced", {"rare": 4.0, "usual": 0.5}], ids=["balanced", "dict"])
def test_class_weight_is_a_sample_weight(factors):
    counts = {name: np.sum(name == RARE) for name in ("rare", "usual")}
    told = {name: N / 2 / counts[name] for name in counts} if factors == "balanced" else factors
    weight = np.array([told[name] for name in RARE])
    by_class = MLPClassifier(**COMMON, class_weight=factors).fit(X, RARE)
    by_sample = MLPClassifier(**COMMON).fit(X, RARE, weight)
    np.testing.assert_allclose(by_class.predict_proba(X), by_sample.predict_proba(X), rtol=1e-9)
    assert np.sum(by_class.predict(X) == "rare") > np.sum(
        MLPClassifier(**COMMON).fit(X, RARE).predict(X) == "rare"
    )


def test_balanced_classes_need_all_of_them():
    with pytest.raises(ValueError, match=r"'balanced' is not supported for partial_fit"):
        MLPClassifier(class_weight="balanced").partial_fit(X, RARE, classes=["rare", "usual"])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_learns_a_line(activation):
    model = MLPRegressor(**{**COMMON, "learning_rate_init": 0.03}, activation=activation).fit(X, VALUE)
    assert model.score(X, VALUE) > 0.95


@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.3},
        {"normalization": "layer"},
        {"normalization": "batch"},
        {"normalization": "batch", "dropout": 0.1, "early_stopping": True},
        {"solver": "adamw", "alpha": 0.1},
        {"solver": "adamw", "alpha": 0.1, "dropout": 0.2},
    ],
    ids=["dropout", "layer", "batch", "all", "adamw", "adamw-dropout"],
)
def test_options_train_predict_and_pickle(options):
    model = MLPClassifier(**COMMON, **options).fit(X, RARE)
    assert model.score(X, RARE) > 0.9
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict_proba(X), model.predict_proba(X))
    again = MLPClassifier(**COMMON, **options).fit(X, RARE)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_adamw_trains_in_the_engine_as_step_by_step():
    """Sparse rows are made dense step by step; dense ones go to the engine by the epoch."""
    import scipy.sparse

    options = {**COMMON, "solver": "adamw", "batch_size": 50, "max_iter": 5}
    models = [MLPRegressor(**options).fit(x, VALUE) for x in (X, scipy.sparse.csr_matrix(X))]
    assert models[0].loss_curve_ == models[1].loss_curve_
    np.testing.assert_array_equal(models[0].coefs_[0], models[1].coefs_[0])


def test_quantile_leaves_its_share_above():
    model = MLPRegressor("quantile", **{**COMMON, "max_iter": 300}, quantile=0.8).fit(X[:, 2:], VALUE)
    assert 0.1 < np.mean(model.predict(X[:, 2:]) < VALUE) < 0.3


def test_huber_passes_over_outliers():
    spoiled = VALUE + 100.0 * (np.arange(N) % 20 == 0)
    options = {**COMMON, "activation": "identity", "max_iter": 400, "tol": 0.0}
    robust, plain = (MLPRegressor(loss, **options).fit(X, spoiled) for loss in ("huber", "squared_error"))
    assert np.median(np.abs(robust.predict(X) - VALUE)) < 0.5
    assert np.median(np.abs(plain.predict(X) - VALUE)) > 2.0


def test_validation_loss_is_that_of_the_best_weights():
    model = MLPRegressor(**COMMON, early_stopping=True, shuffle=False).fit(X, VALUE)
    best = int(np.argmax(model.validation_scores_))
    assert len(model.validation_loss_curve_) == model.n_iter_
    assert best == int(np.argmin(model.validation_loss_curve_))
    assert MLPRegressor(**COMMON).fit(X, VALUE).validation_loss_curve_ is None


def test_callbacks_are_told_and_may_stop():
    told = []

    def stop(epoch, history):
        told.append(history.loss[-1])
        return epoch == 3

    watch = nt.callbacks.EarlyStopping(monitor="validation_r2", patience=50)
    model = MLPRegressor(**COMMON, early_stopping=True, callbacks=[stop, watch]).fit(X, VALUE)
    assert told == model.loss_curve_
    assert model.n_iter_ == 4
    assert watch.best == model.best_validation_score_


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_partial_fit_stops_early_at_the_best_weights(kind):
    y = RARE if kind is MLPClassifier else VALUE
    first = {"classes": ["rare", "usual"]} if kind is MLPClassifier else {}
    model = kind(**{**COMMON, "learning_rate_init": 0.05}, early_stopping=True, n_iter_no_change=3)
    held_out = (X[200:], y[200:])
    model.partial_fit(X[:200], y[:200], validation_data=held_out, **first)
    while not model.early_stopped_:
        model.partial_fit(X[:200], y[:200], validation_data=held_out)
    assert len(model.validation_scores_) < 1000
    assert model.score(*held_out) == pytest.approx(max(model.validation_scores_))
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True without"):
        model.partial_fit(X[:200], y[:200])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "lbfgs", "dropout": 0.1}, "expected dropout=0"),
        ({"solver": "lbfgs", "normalization": "batch"}, "normalization None or 'layer'"),
        ({"normalization": "batch", "batch_size": 239}, "at least 2 samples in each batch"),
        ({"loss": "poisson"}, "expects y >= 0"),
        ({"dropout": 1.0}, "dropout"),
        ({"normalization": "group"}, "normalization"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be > 0"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MLPRegressor(**options).fit(X, VALUE)


def test_other_precision_goes_on_in_that_of_the_weights():
    model = MLPRegressor(**COMMON).partial_fit(X, VALUE)
    model.partial_fit(X.astype("float32"), VALUE)
    assert model.coefs_[0].dtype == "float64"
    assert model.predict(X.astype("float32")).dtype == "float64"
