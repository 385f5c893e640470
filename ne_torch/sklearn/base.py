"""What the two estimators have in common: fitting, and the network behind it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ne_torch.sklearn.lbfgs import NOT_FINITE, fit_lbfgs
from ne_torch.sklearn.network import Network
from ne_torch.sklearn.objective import Data, Objective
from ne_torch.sklearn.parameters import CONSTRAINTS, STOCHASTIC, hidden_sizes
from ne_torch.sklearn.stochastic import Stochastic
from ne_torch.typing import Array, ArrayLike
from sklearn.base import BaseEstimator

__all__ = ["BaseMLP", "is_stochastic"]


def is_stochastic(estimator: Any) -> bool:
    """Return True; AttributeError where the solver takes all rows at once."""
    if estimator.solver in STOCHASTIC:
        return True
    raise AttributeError(
        f"partial_fit is only available for stochastic optimizers. {estimator.solver} is not stochastic."
    )


class BaseMLP(BaseEstimator):  # type: ignore[misc]
    """A multilayer perceptron; a class of its own knows targets, losses and predictions.

    ``coefs_`` and ``intercepts_`` are views of the network's parameters. What is assigned to their elements
    is taken over by the next call.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS
    _metric: str

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:  # noqa: N803
        """Fit to X and y, from new weights unless ``warm_start``.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)
            float64 and float32 compute in their own precision. The batches of a sparse matrix are made dense
            one by one; lbfgs makes it dense as a whole.
        y : array_like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array_like of shape (n_samples,), optional
            Not negative; a sample with weight 0 is as one that is not there.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument or a parameter does not fit, or weights have become infinite or NaN.
        """
        self._validate_params()
        return self._fit(X, y, sample_weight, incremental=False)

    def _arrays(self, X: Any, y: Any, reset: bool, **options: Any) -> tuple[Any, Any]:  # noqa: N803
        """Return X and y as scikit-learn checks them, a y of one column as a vector."""
        X, y = validate_data(  # noqa: N806
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            dtype=(np.float64, np.float32),
            order="C",
            reset=reset,
            **options,
        )
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _fit(
        self,
        X: Any,  # noqa: N803
        y: Any,
        sample_weight: Any,
        incremental: bool,
        validation_data: Any = None,
    ) -> Any:
        hidden = hidden_sizes(self.hidden_layer_sizes)
        if self.solver == "lbfgs" and (self.dropout > 0 or self.normalization == "batch"):
            raise ValueError(
                f"{type(self).__name__}: expected dropout=0 and normalization None or 'layer' with "
                f"solver='lbfgs', which evaluates a loss that stays, got {self.dropout} and "
                f"{self.normalization!r}; choose another solver"
            )
        if incremental and self.early_stopping != (validation_data is not None):
            raise ValueError(
                "partial_fit does not support early_stopping=True without validation_data, nor "
                "validation_data without early_stopping=True"
            )
        first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        X, y, labels = self._validated(X, y, incremental, first)  # noqa: N806
        weight = self._weights(X, labels, sample_weight)
        if weight is not None and not weight.all():
            kept = weight > 0
            X, y, weight = X[kept], y[kept], weight[kept]  # noqa: N806
        self._random_state = check_random_state(self.random_state)
        self.n_outputs_ = y.shape[1]
        if first:
            self._initialize([X.shape[1], *hidden, self.n_outputs_], X.dtype)
        self._connect()
        X = X.astype(self._network.dtype, copy=False)  # noqa: N806
        if self.solver == "lbfgs":
            fit_lbfgs(self, self._objective(), self._data(X, y, weight))
        else:
            self._begin_curves(first)
            self._fit_batches(X, y, weight, incremental, validation_data)
        if not all(np.isfinite(parameter.data).all() for parameter in self._network.model.parameters()):
            raise ValueError(NOT_FINITE)
        return self

    def _fit_batches(
        self,
        X: Any,  # noqa: N803
        y: Array,
        weight: Array | None,
        incremental: bool,
        validation_data: Any,
    ) -> None:
        validation, labels = None, None
        if self.early_stopping:
            if incremental:
                held_out = self._checked_validation(*validation_data)
            else:
                (X, y, weight), held_out = self._split(X, y, weight)  # noqa: N806
            validation, labels = self._data(*held_out), self._labels(held_out[1])
        data = self._data(X, y, weight)
        run = Stochastic(self, self._objective(), data, validation, labels, anew=not incremental)
        run.train(1 if incremental else self.max_iter)
        if not incremental:
            run.finish()

    def _checked_validation(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Array, Any]:  # noqa: N803
        X, y, _ = self._validated(X, y, incremental=True, reset=False)  # noqa: N806
        return X.astype(self._network.dtype, copy=False), y, BaseMLP._weights(self, X, y, sample_weight)

    def _split(self, X: Any, y: Array, weight: Array | None) -> tuple[Any, Any]:  # noqa: N803
        arrays = [X, y] if weight is None else [X, y, weight]
        parts = train_test_split(
            *arrays,
            random_state=self._random_state,
            test_size=self.validation_fraction,
            stratify=y if self._stratified() else None,
        )
        if parts[1].shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        train, test = parts[::2], parts[1::2]
        return (*train, None)[:3], (*test, None)[:3]

    def _weights(self, X: Any, labels: Any, sample_weight: Any) -> Array | None:  # noqa: ARG002, N803
        if sample_weight is None:
            return None
        weight: Array = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        return weight

    def _initialize(self, widths: list[int], dtype: Any) -> None:
        self.n_iter_ = self.t_ = 0
        self.n_layers_ = len(widths)
        self.out_activation_ = self._link()
        self._network = self._new_network(widths, dtype)
        self._network.initialize(self._random_state, 2.0 if self.activation == "logistic" else 6.0)
        self.coefs_, self.intercepts_ = [*self._network.coefs], [*self._network.intercepts]
        self.__dict__.pop("_optimizer", None)  # it is another network's

    def _begin_curves(self, first: bool) -> None:
        """Have what is recorded by epochs, as far as an earlier call has not begun it."""
        stopping = bool(self.early_stopping)
        if first or not hasattr(self, "loss_curve_"):
            self.loss_curve_: list[float] = []
        elif stopping == (getattr(self, "validation_scores_", None) is not None):
            return
        self._no_improvement_count = 0
        self.validation_scores_: list[float] | None = [] if stopping else None
        self.validation_loss_curve_: list[float] | None = [] if stopping else None
        self.best_validation_score_ = -np.inf if stopping else None
        self.best_loss_ = None if stopping else np.inf
        self._best_weights: dict[str, Array] = {}

    def _new_network(self, widths: list[int], dtype: Any) -> Network:
        seed = int(self._random_state.randint(2**31 - 1)) if self.dropout > 0 else 0
        return Network(widths, dtype, self.activation, self.dropout, self.normalization, seed)

    def _connect(self) -> None:
        """Have the network behind ``coefs_`` hold what they hold."""
        if not hasattr(self, "_network"):
            widths = [len(self.coefs_[0]), *(len(intercept) for intercept in self.intercepts_)]
            self._network = self._new_network(widths, self.coefs_[0].dtype)
        self._network.adopt(self.coefs_, self.intercepts_)

    def _outputs(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return what the network gives for X, before the link."""
        check_is_fitted(self)
        X = validate_data(  # noqa: N806
            self, X, accept_sparse="csr", dtype=(np.float64, np.float32), reset=False
        )
        self._connect()
        return self._network.forward(X)

    def _link(self) -> str:
        raise NotImplementedError

    def _objective(self) -> Objective:
        raise NotImplementedError

    def _data(self, X: Any, y: Array, weight: Array | None) -> Data:  # noqa: N803
        raise NotImplementedError

    def _labels(self, y: Array) -> Array:
        raise NotImplementedError

    def _validated(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array, Any]:  # noqa: N803
        raise NotImplementedError

    def _stratified(self) -> bool:
        """Return whether the validation part has the shares of the classes."""
        return False

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        if "_network" in state:  # the views are made anew
            self._connect()
            del state["coefs_"], state["intercepts_"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_network" in state:
            self.coefs_, self.intercepts_ = [*self._network.coefs], [*self._network.intercepts]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
