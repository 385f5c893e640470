"""The classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels

from ne_torch import BCEWithLogitsLoss, CrossEntropyLoss, _core
from ne_torch.sklearn.base import BaseMLP, is_stochastic
from ne_torch.sklearn.objective import Data, Objective
from ne_torch.sklearn.parameters import CONSTRAINTS, keep_arguments
from ne_torch.typing import Array, ArrayLike
from sklearn.base import ClassifierMixin

__all__ = ["MLPClassifier"]


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron that classifies: scikit-learn's estimator of this name, trained by ne_torch.

    Parameters up to ``max_fun``, attributes and results are those of
    ``sklearn.neural_network.MLPClassifier``: with the same ``random_state`` the same initial weights, batches
    and steps, to rounding. It minimises the log-loss plus ``alpha / 2 ||W||^2`` by the samples of a batch.
    With two classes, and where y has a column for each of several labels, every output is a logistic;
    otherwise the outputs are a softmax.

    Parameters
    ----------
    hidden_layer_sizes : array_like of int, or int, default (100,)
    activation : str, default "relu"
        scikit-learn's "identity", "logistic", "tanh" and "relu", or "elu", "gelu", "hardtanh", "leaky_relu",
        "relu6", "selu", "silu", "softplus".
    solver : {"adam", "sgd", "lbfgs", "adamw"}, default "adam"
        For "adamw", alpha is the decoupled weight decay, and no part of the loss.
    alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, random_state, tol, \
verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, \
epsilon, n_iter_no_change, max_fun
        As scikit-learn has them.
    class_weight : dict or "balanced", optional
        Factors of the sample weights by class; "balanced" ones are inverse to the classes' frequencies.
    dropout : float, default 0
        The share of each hidden layer's outputs that is dropped in training.
    normalization : {"layer", "batch"}, optional
        What stands between each hidden layer and its activation.
    callbacks : list, optional
        Those of ``ne_torch.callbacks``, or functions ``f(epoch, history)``; training ends where one returns
        True.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights of shape (fan_in, fan_out) and biases of shape (fan_out,): live.
    classes_, loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, t_, n_iter_, \
n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
        As scikit-learn has them.
    validation_loss_curve_ : list of float or None
        The loss on the validation part after each epoch, without the penalty; with ``early_stopping``.
    early_stopped_ : bool
        Whether ``early_stopping`` has ended the training.

    Raises
    ------
    ValueError
        In ``fit``, if a parameter does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from ne_torch.sklearn import MLPClassifier
    >>> X = np.random.RandomState(0).normal(size=(200, 2))
    >>> y = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
    >>> model = MLPClassifier(random_state=0, learning_rate_init=0.05, max_iter=300).fit(X, y)
    >>> model.predict([[1.0, 1.0], [-1.0, 1.0]]).tolist()
    ['same', 'other']
    >>> model.score(X, y) > 0.95
    True
    """

    _metric = "accuracy"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **CONSTRAINTS,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        class_weight: Any = None,
        dropout: float = 0.0,
        normalization: str | None = None,
        callbacks: Any = None,
    ) -> None:
        keep_arguments(self, locals())

    @available_if(is_stochastic)  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        *,
        validation_data: tuple[ArrayLike, ...] | None = None,
    ) -> MLPClassifier:
        """Train for one epoch more.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``.
        classes : array_like of shape (n_classes,), optional
            All that there will be: needed in the first call.
        validation_data : (X, y) or (X, y, sample_weight), optional
            With ``early_stopping``: scored after the epoch. When ``n_iter_no_change`` calls have not
            improved the score, the best weights are put back and ``early_stopped_`` is True.
        """
        self._validate_params()
        if isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' is not supported for partial_fit, which sees parts: pass a dict of "
                "the factors that sklearn.utils.compute_class_weight gives for all of y"
            )
        if _check_partial_fit_first_call(self, classes):
            multilabel = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if multilabel else classes)
        self._fit(X, y, sample_weight, True, validation_data)
        return self

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return the classes of shape (n_samples,), or 0 and 1 of shape (n_samples, n_labels)."""
        return self._labels(self._probabilities(self._outputs(X)))

    def predict_proba(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return probabilities of shape (n_samples, n_classes), in the order of ``classes_``."""
        probabilities = self._probabilities(self._outputs(X))
        if self.n_outputs_ == 1:
            return np.hstack([1 - probabilities, probabilities])
        return probabilities

    def predict_log_proba(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return the logarithm of ``predict_proba``."""
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(probabilities, out=probabilities)

    def _probabilities(self, outputs: Array) -> Array:
        if self.out_activation_ == "softmax":
            return _core.softmax_forward(outputs)
        return _core.activation_forward("sigmoid", outputs)

    def _labels(self, y: Array) -> Array:
        column = y.ravel() if self.n_outputs_ == 1 else y
        labels: Array = self._label_binarizer.inverse_transform(column)
        return labels

    def _score(self, outputs: Array, labels: Array, weight: Array | None) -> float:
        probabilities = self._probabilities(outputs)
        if not np.isfinite(probabilities).all():
            return float("nan")
        return float(accuracy_score(labels, self._labels(probabilities), sample_weight=weight))

    def _stratified(self) -> bool:
        return bool(self.n_outputs_ == 1)

    def _link(self) -> str:
        return "softmax" if self._label_binarizer.y_type_ == "multiclass" else "logistic"

    def _objective(self) -> Objective:
        kind = CrossEntropyLoss if self.out_activation_ == "softmax" else BCEWithLogitsLoss
        return Objective(kind(reduction="sum"))

    def _data(self, X: Any, y: Array, weight: Array | None) -> Data:  # noqa: N803
        if self.out_activation_ == "softmax":
            return Data(X, y.argmax(axis=1), weight)
        return Data(X, y.astype(self._network.dtype), weight)

    def _weights(self, X: Any, labels: Any, sample_weight: Any) -> Array | None:  # noqa: N803
        weight = super()._weights(X, labels, sample_weight)
        if self.class_weight is None:
            return weight
        by_class: Array = compute_sample_weight(self.class_weight, labels)
        return super()._weights(X, labels, by_class if weight is None else by_class * weight)

    def _validated(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array, Any]:  # noqa: N803
        X, y = self._arrays(X, y, reset)  # noqa: N806
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            self._require_known(unique_labels(y))
        return X, self._label_binarizer.transform(y).astype(bool), y

    def _require_known(self, classes: Array) -> None:
        if self.warm_start and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}"
            )
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {classes}."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
