"""Estimators for scikit-learn: its multilayer perceptrons, trained by ne_torch (extra ``sklearn``)."""

from ne_torch._extras import extra

with extra("sklearn", "ne_torch.sklearn", "scikit-learn"):
    import sklearn  # noqa: F401 - scikit-learn's own: the name of this package is ne_torch.sklearn

from ne_torch.sklearn.classifier import MLPClassifier
from ne_torch.sklearn.conversion import from_sklearn
from ne_torch.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "from_sklearn"]
