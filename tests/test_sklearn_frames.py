"""Frames of pandas and polars: the estimators know their columns, and predict as from arrays."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from ne_torch.sklearn import MLPClassifier, MLPRegressor
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NAMES = ["height", "width", "depth"]
X = np.random.RandomState(0).normal(size=(120, 3))
LABELS = np.where(X[:, 0] > X[:, 1], "high", "wide")
VALUES = X[:, 0] - X[:, 2]
OPTIONS = {
    "hidden_layer_sizes": (8,),
    "max_iter": 200,
    "random_state": 0,
    "learning_rate_init": 0.01,
    "tol": 0.0,
}
CASES = {"classifier": (MLPClassifier, LABELS), "regressor": (MLPRegressor, VALUES)}
FRAMES = {
    "pandas": (lambda x: pd.DataFrame(x, columns=NAMES), pd.Series),
    "polars": (lambda x: pl.DataFrame(x, schema=NAMES), pl.Series),
}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
each_frame = pytest.mark.parametrize("frame_of", FRAMES)
each_case = pytest.mark.parametrize("case", CASES)


@each_frame
@each_case
def test_frames_are_their_arrays_with_names(case, frame_of, dtype):
    kind, y = CASES[case]
    frame, series = FRAMES[frame_of]
    x = X.astype(dtype)
    from_frame = kind(**OPTIONS).fit(frame(x), series(y))
    if frame_of == "polars":  # which scikit-learn converts to the first dtype that an estimator names
        x = x.astype("float64")
    from_array = kind(**OPTIONS).fit(x, y)
    assert list(from_frame.feature_names_in_) == NAMES
    assert not hasattr(from_array, "feature_names_in_")
    assert from_frame.coefs_[0].dtype == x.dtype
    for ours, theirs in zip(from_frame.coefs_, from_array.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(from_frame.predict(frame(x)), from_array.predict(x))
    assert from_frame.score(frame(x), series(y)) == from_array.score(x, y)


@each_frame
@each_case
def test_parts_of_frames_and_their_weights(case, frame_of):
    kind, y = CASES[case]
    frame, series = FRAMES[frame_of]
    weight = np.linspace(0.5, 2.0, len(y))
    first = {"classes": series(["high", "wide"])} if kind is MLPClassifier else {}
    from_frame, from_array = kind(**OPTIONS), kind(**OPTIONS)
    for part in (slice(0, 60), slice(60, 120)):
        from_frame.partial_fit(frame(X[part]), series(y[part]), series(weight[part]), **first)
        from_array.partial_fit(X[part], y[part], weight[part], **{k: v.to_numpy() for k, v in first.items()})
    np.testing.assert_array_equal(from_frame.predict(frame(X)), from_array.predict(X))


@each_frame
def test_other_columns_are_refused(frame_of):
    frame, series = FRAMES[frame_of]
    model = MLPRegressor(**OPTIONS).fit(frame(X), series(VALUES))
    turned = frame(X)[NAMES[::-1]]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(turned)
    twin = pickle.loads(pickle.dumps(model))
    assert list(twin.feature_names_in_) == NAMES
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_array_equal(twin.predict(X), model.predict(frame(X)))


@each_frame
def test_columns_of_a_frame_in_a_pipeline(frame_of):
    frame, series = FRAMES[frame_of]
    kinds = np.array(["a", "b", "c"])[np.arange(len(X)) % 3]
    table = frame(X)
    table = table.assign(kind=kinds) if frame_of == "pandas" else table.with_columns(pl.Series("kind", kinds))
    columns = make_column_transformer((StandardScaler(), NAMES), (OneHotEncoder(), ["kind"]))
    model = make_pipeline(columns, MLPClassifier(**OPTIONS)).fit(table, series(LABELS))
    assert model.score(table, series(LABELS)) > 0.9
    assert set(model.predict(table)) == {"high", "wide"}


@each_frame
def test_several_targets_in_a_frame(frame_of):
    frame = FRAMES[frame_of][0]
    y = np.stack([VALUES, -VALUES, X[:, 1]], axis=1)
    model = MLPRegressor(**OPTIONS).fit(frame(X), frame(y))
    np.testing.assert_array_equal(model.predict(frame(X)), MLPRegressor(**OPTIONS).fit(X, y).predict(X))


def test_columns_of_pandas_that_hold_numbers_of_many_kinds():
    table = pd.DataFrame({"count": np.arange(120), "share": X[:, 0].astype("float32"), "flag": X[:, 1] > 0})
    model = MLPRegressor(**OPTIONS).fit(table, pd.Series(VALUES, index=np.arange(120)[::-1]))
    dense = table.to_numpy("float64")
    np.testing.assert_array_equal(
        model.predict(table), MLPRegressor(**OPTIONS).fit(dense, VALUES).predict(dense)
    )
