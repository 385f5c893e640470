"""From scikit-learn's fitted perceptrons to ours."""

from __future__ import annotations

import copy
from typing import Any

from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ne_torch.sklearn.classifier import MLPClassifier
from ne_torch.sklearn.regressor import MLPRegressor
from sklearn import neural_network

__all__ = ["from_sklearn"]


def from_sklearn(fitted: Any) -> MLPClassifier | MLPRegressor:
    """Take over a fitted perceptron of scikit-learn: parameters, weights to the bit, attributes.

    Parameters
    ----------
    fitted : sklearn.neural_network.MLPClassifier or MLPRegressor

    Returns
    -------
    MLPClassifier or MLPRegressor
        Fitted. Its predictions are those of the other to rounding. ``partial_fit`` and ``warm_start`` go on
        from its weights, with an optimizer that remembers nothing.

    Raises
    ------
    TypeError
        If it is neither.
    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neural_network import MLPRegressor
    >>> from ne_torch.sklearn import from_sklearn
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> theirs = MLPRegressor(solver="lbfgs", random_state=0).fit(X, X[:, 0] ** 2)
    >>> bool(np.allclose(from_sklearn(theirs).predict(X), theirs.predict(X)))
    True
    """
    kinds = {neural_network.MLPClassifier: MLPClassifier, neural_network.MLPRegressor: MLPRegressor}
    if type(fitted) not in kinds:
        raise TypeError(
            "from_sklearn: expected an MLPClassifier or MLPRegressor of sklearn.neural_network, got "
            f"{type(fitted).__name__}"
        )
    check_is_fitted(fitted)
    ours: Any = kinds[type(fitted)](**copy.deepcopy(fitted.get_params()))
    for name, value in vars(fitted).items():
        if (name.endswith("_") and not name.startswith("_")) or name in _KEPT:
            setattr(ours, name, copy.deepcopy(value))
    if getattr(ours, "validation_scores_", None) is not None:
        ours.validation_loss_curve_ = [float("nan")] * len(ours.validation_scores_)
    ours._random_state = check_random_state(ours.random_state)
    ours._connect()
    return ours  # type: ignore[no-any-return]


_KEPT = ("_label_binarizer", "_no_improvement_count")
