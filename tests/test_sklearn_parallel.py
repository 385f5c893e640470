"""Grid searches in threads, processes and on a Dask cluster: the same results, each core used once."""

import warnings

import joblib
import ne_torch as nt
import numpy as np
import pytest
from ne_torch.sklearn import MLPClassifier, MLPRegressor
from sklearn.model_selection import GridSearchCV

X = np.random.RandomState(0).normal(size=(200, 5))
LABELS = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
VALUES = X[:, 0] - X[:, 1]
GRID = {"hidden_layer_sizes": [(8,), (16, 8)], "learning_rate_init": [0.001, 0.03]}
PROCESSORS = 2


class Counting(MLPClassifier):
    """Scores itself by the threads that it may use, in the process that it is fitted in."""

    def score(self, X, y, sample_weight=None):
        return float(nt.get_num_threads())


def search(estimator, y, n_jobs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which joblib resets in its workers, and Dask as it pleases
        return GridSearchCV(estimator, GRID, cv=3, n_jobs=n_jobs, refit=False).fit(X, y).cv_results_


def scores(n_jobs):
    """Return the scores of every fit of two grids."""
    options = {"max_iter": 20, "random_state": 0}
    cases = [(MLPClassifier(**options), LABELS), (MLPRegressor(**options, batch_size=16), VALUES)]
    splits = [
        search(estimator, y, n_jobs)[f"split{i}_test_score"] for estimator, y in cases for i in range(3)
    ]
    return np.array(splits)


def threads_of_workers(n_jobs):
    results = search(Counting(max_iter=2), LABELS, n_jobs)
    return {float(results[f"split{i}_test_score"][j]) for i in range(3) for j in range(4)}


@pytest.fixture(scope="module")
def one_by_one():
    return scores(n_jobs=1)


@pytest.fixture
def unset(monkeypatch):
    """Leave the number of threads to whoever starts the workers, as most users do."""
    for name in ("NE_TORCH_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def dask_cluster():
    distributed = pytest.importorskip("distributed")
    options = {"processes": True, "n_workers": PROCESSORS, "threads_per_worker": 1, "dashboard_address": None}
    with (
        pytest.MonkeyPatch.context() as environment,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        environment.delenv("NE_TORCH_NUM_THREADS", raising=False)
        with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster):
            yield cluster


def test_threads_give_the_results_of_one_by_one(one_by_one):
    with joblib.parallel_backend("threading"):
        np.testing.assert_array_equal(scores(n_jobs=2), one_by_one)


def test_processes_give_the_results_of_one_by_one(one_by_one, unset):
    np.testing.assert_array_equal(scores(n_jobs=2), one_by_one)


def test_dask_gives_the_results_of_one_by_one(one_by_one, dask_cluster):
    with joblib.parallel_backend("dask"):
        np.testing.assert_array_equal(scores(n_jobs=-1), one_by_one)


def test_processes_share_out_the_processors(unset):
    share = max(1, joblib.cpu_count() // 2)
    assert threads_of_workers(n_jobs=2) == {share}


def test_dask_workers_use_one_thread_each(dask_cluster):
    with joblib.parallel_backend("dask"):
        assert threads_of_workers(n_jobs=-1) == {1}
