"""An estimator's life: fit, partial_fit, predict, copies, pickles, weights assigned, mistakes, in any order.

After each call an estimator is, to the bit, what its copy becomes by the same call; a refused call leaves its
predictions as they were; a row's prediction depends on neither the other rows nor their layout.
"""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from ne_torch.sklearn import MLPClassifier, MLPRegressor

from life import DTYPES, SEEDS, by_class, live
from samples import LAYOUTS, normal, same_bits

OPTIONS = [
    {"solver": "sgd", "hidden_layer_sizes": (), "learning_rate": "adaptive", "n_iter_no_change": 1},
    {"solver": "sgd", "hidden_layer_sizes": (3,), "learning_rate": "invscaling", "normalization": "layer"},
    {"solver": "adam", "hidden_layer_sizes": (5, 2), "activation": "gelu", "shuffle": False},
    {"solver": "adam", "hidden_layer_sizes": (4,), "dropout": 0.3, "normalization": "batch"},
    {"solver": "adamw", "hidden_layer_sizes": (4,), "early_stopping": True, "validation_fraction": 0.4},
    {"solver": "lbfgs", "hidden_layer_sizes": (3,), "activation": "tanh"},
]
MISTAKES = [
    lambda e, x, y: e.fit(x, y[:-1]),
    lambda e, x, y: e.fit(np.full_like(x, np.nan), y),
    lambda e, x, y: e.fit(x[:0], y[:0]),
    lambda e, x, y: e.fit(x, y, sample_weight=-np.ones(len(x))),
    lambda e, x, y: copy.copy(e).set_params(alpha=-1).fit(x, y),
    lambda e, x, y: copy.copy(e).set_params(solver="newton").fit(x, y),
    lambda e, x, y: e.predict(x[:, :-1]),
    lambda e, x, y: e.predict("text"),
    lambda e, x, y: e.predict(np.full_like(x, np.inf)),
]


class EstimatorLife(RuleBasedStateMachine):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    @initialize(
        options=st.integers(0, len(OPTIONS) - 1),
        dtype=DTYPES,
        outputs=st.sampled_from([1, 2, 3]),
        warm_start=st.booleans(),
    )
    def begin(self, options, dtype, outputs, warm_start):
        options = {**OPTIONS[options], "max_iter": 2, "batch_size": 6, "warm_start": warm_start}
        self.estimator = self.kind(random_state=5, **options)
        self.dtype, self.outputs = np.dtype(dtype), outputs

    def problem(self, seed):
        """Return 20 rows whose targets have every class."""
        x = normal((20, 4), self.dtype, seed)
        if self.kind is MLPRegressor:
            y = normal((20, self.outputs), self.dtype, seed + 1)
            return x, y[:, 0] if self.outputs == 1 else y
        labels = np.array(["a", "b", "c", "d"])[: self.outputs + 1]
        return x, labels[np.random.default_rng(seed).permutation(np.arange(20) % len(labels))]

    def bits(self, estimator):
        arrays = [*estimator.coefs_, *estimator.intercepts_, np.array(estimator.n_iter_)]
        return [np.ascontiguousarray(array).tobytes() for array in arrays]

    @property
    def fitted(self):
        return hasattr(self.estimator, "coefs_")

    @rule(seed=SEEDS, sparse=st.booleans(), weighted=st.booleans(), partial=st.booleans())
    def train(self, seed, sparse, weighted, partial):
        x, y = self.problem(seed)
        partial = partial and self.estimator.solver != "lbfgs" and not self.estimator.early_stopping
        options = {"sample_weight": np.arange(20) % 3 + 1.0} if weighted else {}
        if partial and self.kind is MLPClassifier:
            options["classes"] = np.unique(y)
        twin = copy.deepcopy(self.estimator)
        for estimator in (self.estimator, twin):
            train = estimator.partial_fit if partial else estimator.fit
            assert train(scipy.sparse.csr_matrix(x) if sparse else x, y, **options) is estimator
        assert self.bits(self.estimator) == self.bits(twin)

    @precondition(lambda self: self.fitted)
    @rule(seed=SEEDS, layout=st.sampled_from(sorted(LAYOUTS.keys() - {"list", "dlpack_only", "memoryview"})))
    def predict(self, seed, layout):
        x, y = self.problem(seed)
        before = self.bits(self.estimator)
        name = "predict_proba" if self.kind is MLPClassifier else "predict"
        x = LAYOUTS[layout](x)
        found = getattr(self.estimator, name)(x)
        rows = np.asarray(x).astype(self.dtype)
        alone = [getattr(self.estimator, name)(rows[i : i + 1]) for i in range(len(rows))]
        assert same_bits(found, np.concatenate(alone))
        assert np.isfinite(self.estimator.score(x, y))
        assert self.bits(self.estimator) == before

    @rule(copied=st.sampled_from([copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]))
    def replace_by_copy(self, copied):
        before = self.bits(self.estimator) if self.fitted else None
        self.estimator = copied(self.estimator)
        assert before is None or self.bits(self.estimator) == before

    @precondition(lambda self: self.fitted)
    @rule(seed=SEEDS, whole=st.booleans())
    def assign_weights(self, seed, whole):
        """In place, or as an array of one's own."""
        new = normal(self.estimator.coefs_[0].shape, self.estimator.coefs_[0].dtype, seed)
        if whole:
            self.estimator.coefs_[0] = new
        else:
            self.estimator.coefs_[0][...] = new
        twin = copy.deepcopy(self.estimator)
        x = self.problem(seed)[0]
        assert np.array_equal(twin.predict(x), self.estimator.predict(x))
        assert same_bits(np.ascontiguousarray(self.estimator.coefs_[0]), new)

    @precondition(lambda self: self.fitted)
    @rule(mistake=st.sampled_from(MISTAKES), seed=SEEDS)
    def make_a_mistake(self, mistake, seed):
        before, (x, y) = self.bits(self.estimator), self.problem(seed)
        expected = self.estimator.predict(x)
        with pytest.raises((ValueError, TypeError)):
            mistake(self.estimator, x, y)
        assert self.bits(self.estimator) == before
        assert np.array_equal(self.estimator.predict(x), expected)


@by_class([MLPClassifier, MLPRegressor])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:lbfgs failed")
def test_estimators_do_what_their_copies_do_in_any_order_of_calls(kind):
    live(lambda: EstimatorLife(kind), lives=40, calls=10)
