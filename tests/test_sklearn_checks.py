"""scikit-learn's own checks of estimators; none is expected to fail."""

import pytest
from ne_torch.sklearn import MLPClassifier, MLPRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

ESTIMATORS = [
    MLPClassifier(max_iter=100),
    MLPRegressor(max_iter=100),
    MLPClassifier(solver="lbfgs", max_iter=100),
    MLPRegressor(loss="huber", solver="adamw", max_iter=100),
]


@parametrize_with_checks(ESTIMATORS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimator_passes_a_check(estimator, check):
    check(estimator)
