"""Estimators for scikit-learn: its multilayer perceptrons, trained by ne_torch (extra ``sklearn``)."""

try:
    import sklearn  # noqa: F401 - scikit-learn's own: the name of this package is ne_torch.sklearn
except ImportError:
    raise ImportError("ne_torch.sklearn: needs scikit-learn; pip install 'ne_torch[sklearn]'") from None

from ne_torch.sklearn.classifier import MLPClassifier
from ne_torch.sklearn.conversion import from_sklearn
from ne_torch.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "from_sklearn"]
