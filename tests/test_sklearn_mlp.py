"""ne_torch.sklearn beside scikit-learn's own perceptrons: the same weights, batches, steps and losses."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse
from ne_torch.sklearn import MLPClassifier, MLPRegressor, from_sklearn

from sklearn import neural_network as theirs
from sklearn.base import clone

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Got `batch_size`:UserWarning"),
]

N = 150
X = np.random.RandomState(0).normal(size=(N, 5))
THREE = np.argmax(X[:, :3] + X[:, 2:], axis=1)
TWO = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
LABELS = (X[:, :3] > 0.2).astype(int)
VALUES = np.stack([np.sin(X[:, 0]) + X[:, 1], X[:, 2] ** 2], axis=1)
WEIGHT = np.random.RandomState(1).uniform(0.2, 2.0, N)

COMMON = {"hidden_layer_sizes": (9, 4), "max_iter": 25, "batch_size": 40, "random_state": 3, "alpha": 0.1}
SOLVERS = {
    "adam": {"learning_rate_init": 0.01, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-4},
    "constant": {"solver": "sgd", "learning_rate_init": 0.03},
    "plain": {"solver": "sgd", "learning_rate_init": 0.03, "momentum": 0.0},
    "heavy": {"solver": "sgd", "learning_rate_init": 0.03, "nesterovs_momentum": False, "shuffle": False},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1, "power_t": 0.3},
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.05,
        "n_iter_no_change": 1,
        "tol": 0.05,
    },
    "stopping": {"learning_rate_init": 0.01, "early_stopping": True, "n_iter_no_change": 4},
    "unpenalised": {"solver": "sgd", "learning_rate_init": 0.03, "alpha": 0.0},
}
TASKS = {
    "three": ("MLPClassifier", THREE, {}),
    "two": ("MLPClassifier", TWO, {"activation": "logistic"}),
    "labels": ("MLPClassifier", LABELS, {"activation": "tanh"}),
    "value": ("MLPRegressor", VALUES[:, 0], {"activation": "identity"}),
    "values": ("MLPRegressor", VALUES, {}),
    "poisson": ("MLPRegressor", np.floor(VALUES[:, 1]), {"loss": "poisson"}),
}
OURS = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}


def pair(task, options, weight=None):
    """Return scikit-learn's estimator and ours, fitted."""
    name, y, own = TASKS[task]
    arguments = {**COMMON, **own, **options}
    fitted = [kind(**arguments).fit(X, y, weight) for kind in (getattr(theirs, name), OURS[name])]
    return (*fitted, y)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_training_goes_as_by_scikit_learn(task, solver, weight):
    """100 steps with numbers near 1: rounding stays far below 1e-8 of them."""
    expected, found, y = pair(task, SOLVERS[solver], weight)
    for name in ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_", "loss_"):
        value = getattr(expected, name)
        assert (getattr(found, name) is None) == (value is None)
        if value is not None:
            np.testing.assert_allclose(getattr(found, name), value, rtol=1e-8, atol=1e-10)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(found, name) == getattr(expected, name), name
    for name in ("coefs_", "intercepts_"):
        for one, other in zip(getattr(found, name), getattr(expected, name), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-8)
    assert found.score(X, y) == pytest.approx(expected.score(X, y), abs=1e-8)


@pytest.mark.parametrize("task", [task for task in TASKS if task != "values"])
def test_lbfgs_goes_as_by_scikit_learn(task):
    """Few iterations: line searches part ways when rounding decides."""
    expected, found, y = pair(task, {"solver": "lbfgs", "max_iter": 8}, WEIGHT)
    assert found.n_iter_ == expected.n_iter_
    assert found.loss_ == pytest.approx(expected.loss_, rel=1e-6)
    assert found.score(X, y) == pytest.approx(expected.score(X, y), abs=1e-6)
    assert not hasattr(found, "partial_fit")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("task", TASKS)
def test_parameters_have_the_dtype_of_the_input(task, dtype):
    name, y, own = TASKS[task]
    model = OURS[name](**COMMON, **own).fit(X.astype(dtype), y)
    assert {array.dtype for array in model.coefs_ + model.intercepts_} == {np.dtype(dtype)}


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_sparse_input_trains_as_dense(solver):
    sparse = scipy.sparse.csr_matrix(np.where(np.abs(X) > 0.5, X, 0))
    models = [MLPClassifier(**COMMON, solver=solver).fit(x, THREE) for x in (sparse, sparse.toarray())]
    assert models[0].loss_ == models[1].loss_
    np.testing.assert_array_equal(models[0].predict_proba(sparse), models[1].predict_proba(sparse.toarray()))


@pytest.mark.parametrize("way", ["pickle", "deepcopy"])
def test_partial_fit_goes_on_after_a_copy_to_the_bit(way):
    model = MLPClassifier(**COMMON)
    for _ in range(3):
        model.partial_fit(X, THREE, classes=[0, 1, 2])
    twin = pickle.loads(pickle.dumps(model)) if way == "pickle" else copy.deepcopy(model)
    for each in (model, twin):
        each.partial_fit(X, THREE)
    assert twin.loss_curve_ == model.loss_curve_
    np.testing.assert_array_equal(twin.predict_proba(X), model.predict_proba(X))
    assert twin.coefs_[0] is not model.coefs_[0]
    assert not hasattr(clone(model), "coefs_")


def test_assigned_weights_are_taken_over():
    model = MLPRegressor(**COMMON).fit(X, VALUES)
    before = model.predict(X)
    model.intercepts_[-1] = model.intercepts_[-1] + 1.0
    np.testing.assert_allclose(model.predict(X), before + 1.0, rtol=1e-12)
    model.intercepts_[-1] -= 1.0
    np.testing.assert_allclose(model.predict(X), before, rtol=1e-12)


def test_samples_of_weight_zero_are_as_if_they_were_not_there():
    kept = WEIGHT > 0.5
    models = [
        MLPRegressor(**COMMON).fit(X, VALUES, np.where(kept, WEIGHT, 0)),
        MLPRegressor(**COMMON).fit(X[kept], VALUES[kept], WEIGHT[kept]),
    ]
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))
    with pytest.raises(ValueError, match="at least one non-zero"):
        MLPRegressor(**COMMON).fit(X, VALUES, np.zeros(N))


def test_warm_start_goes_on_as_by_scikit_learn():
    models = [kind(**COMMON, warm_start=True) for kind in (theirs.MLPClassifier, MLPClassifier)]
    for model in models:
        model.fit(X, THREE).fit(X, THREE)
    np.testing.assert_allclose(models[1].loss_curve_, models[0].loss_curve_, rtol=1e-8)
    assert len(models[1].loss_curve_) == 50


@pytest.mark.parametrize("before", [{"solver": "lbfgs"}, {"early_stopping": True}], ids=["lbfgs", "stopping"])
def test_warm_start_goes_on_with_other_options(before):
    """scikit-learn has no curves to go on from then."""
    model = MLPClassifier(**{**COMMON, **before}, warm_start=True).fit(X, THREE)
    earlier = len(getattr(model, "loss_curve_", []))
    model.set_params(solver="sgd", early_stopping=False).fit(X, THREE)
    assert len(model.loss_curve_) == earlier + model.n_iter_
    assert model.validation_scores_ is None
    assert model.best_loss_ == min(model.loss_curve_[earlier:])


def test_predictions_of_many_threads_are_those_of_one():
    model = MLPRegressor(**COMMON).fit(X, VALUES)
    parts = [X[begin:] for begin in range(0, 100, 5)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(model.predict, parts * 5))
    for one, part in zip(found, parts * 5, strict=True):
        np.testing.assert_array_equal(one, model.predict(part))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_from_sklearn_has_the_weights_to_the_bit(task, dtype):
    name, y, own = TASKS[task]
    their = getattr(theirs, name)(**COMMON, **own).fit(X.astype(dtype), y)
    ours = from_sklearn(their)
    for kind in ("coefs_", "intercepts_"):
        for one, other in zip(getattr(ours, kind), getattr(their, kind), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    rows = X.astype(dtype)
    method = "predict" if name == "MLPRegressor" else "predict_proba"
    eps = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(getattr(ours, method)(rows), getattr(their, method)(rows), rtol=eps, atol=eps)
    assert ours.loss_curve_ == their.loss_curve_
    assert ours.partial_fit(X.astype(dtype), y).t_ == their.t_ + N
    with pytest.raises(TypeError, match="from_sklearn: expected an MLPClassifier or MLPRegressor"):
        from_sklearn(ours)
