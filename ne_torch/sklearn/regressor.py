"""The regressor."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from ne_torch import HuberLoss, MSELoss, PoissonNLLLoss, QuantileLoss
from ne_torch.sklearn.base import BaseMLP, is_stochastic
from ne_torch.sklearn.objective import Data, Objective
from ne_torch.sklearn.parameters import CONSTRAINTS, keep_arguments
from ne_torch.typing import Array, ArrayLike
from sklearn.base import RegressorMixin

__all__ = ["MLPRegressor"]


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron that regresses: scikit-learn's estimator of this name, trained by ne_torch.

    Parameters up to ``max_fun``, attributes and results are those of
    ``sklearn.neural_network.MLPRegressor``: with the same ``random_state`` the same initial weights, batches
    and steps, to rounding. It minimises the loss plus ``alpha / 2 ||W||^2`` by the samples of a batch.

    Parameters
    ----------
    loss : {"squared_error", "poisson", "huber", "quantile"}, default "squared_error"
        Half the squared error; half the Poisson deviance of y >= 0, where predictions are exponentials of the
        outputs; ``ne_torch.HuberLoss``; ``ne_torch.QuantileLoss``.
    hidden_layer_sizes : array_like of int, or int, default (100,)
    activation : str, default "relu"
        As for ``MLPClassifier``.
    solver : {"adam", "sgd", "lbfgs", "adamw"}, default "adam"
        For "adamw", alpha is the decoupled weight decay, and no part of the loss.
    alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, random_state, tol, \
verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, \
epsilon, n_iter_no_change, max_fun
        As scikit-learn has them.
    dropout, normalization, callbacks
        As for ``MLPClassifier``.
    delta : float, default 1
        Of the Huber loss.
    quantile : float, default 0.5
        Of the quantile loss.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights of shape (fan_in, fan_out) and biases of shape (fan_out,): live.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, t_, n_iter_, n_layers_, \
n_outputs_, out_activation_, n_features_in_, feature_names_in_
        As scikit-learn has them.
    validation_loss_curve_ : list of float or None
        The loss on the validation part after each epoch, without the penalty; with ``early_stopping``.
    early_stopped_ : bool
        Whether ``early_stopping`` has ended the training.

    Raises
    ------
    ValueError
        In ``fit``, if a parameter does not fit.

    Notes
    -----
    With several outputs the gradients are those of the sum over outputs, and losses are told as means, both
    as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from ne_torch.sklearn import MLPRegressor
    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> model = MLPRegressor(solver="lbfgs", random_state=0).fit(X, np.sin(3 * X[:, 0]))
    >>> bool(abs(model.predict([[0.5]])[0] - np.sin(1.5)) < 0.05)
    True
    """

    _metric = "r2"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **CONSTRAINTS,
        "loss": [StrOptions({"squared_error", "poisson", "huber", "quantile"})],
        "delta": [Interval(Real, 0, None, closed="neither")],
        "quantile": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(
        self,
        loss: str = "squared_error",
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
        dropout: float = 0.0,
        normalization: str | None = None,
        callbacks: Any = None,
        delta: float = 1.0,
        quantile: float = 0.5,
    ) -> None:
        keep_arguments(self, locals())

    @available_if(is_stochastic)  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        validation_data: tuple[ArrayLike, ...] | None = None,
    ) -> MLPRegressor:
        """Train for one epoch more.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``.
        validation_data : (X, y) or (X, y, sample_weight), optional
            With ``early_stopping``: scored after the epoch. When ``n_iter_no_change`` calls have not
            improved the score, the best weights are put back and ``early_stopped_`` is True.
        """
        self._validate_params()
        self._fit(X, y, sample_weight, True, validation_data)
        return self

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return the values, of shape (n_samples,) or (n_samples, n_outputs)."""
        return self._values(self._outputs(X))

    def _values(self, outputs: Array) -> Array:
        values = outputs
        if self.out_activation_ == "exp":
            with np.errstate(over="ignore"):
                values = np.exp(outputs)
        return values.ravel() if values.shape[1] == 1 else values

    def _score(self, outputs: Array, labels: Array, weight: Array | None) -> float:
        values = self._values(outputs)
        if not np.isfinite(values).all():
            return float("nan")
        return float(r2_score(labels, values, sample_weight=weight))

    def _labels(self, y: Array) -> Array:
        return y.ravel() if y.shape[1] == 1 else y

    def _link(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _objective(self) -> Objective:
        if self.loss == "poisson":
            return Objective(PoissonNLLLoss(reduction="sum"))
        if self.loss == "huber":
            return Objective(HuberLoss("sum", delta=float(self.delta)), divisor=self.n_outputs_)
        if self.loss == "quantile":
            return Objective(QuantileLoss(float(self.quantile), reduction="sum"), divisor=self.n_outputs_)
        return Objective(MSELoss(reduction="sum"), factor=0.5, divisor=self.n_outputs_)

    def _data(self, X: Any, y: Array, weight: Array | None) -> Data:  # noqa: N803
        offset = None
        if self.loss == "poisson":
            if y.min() < 0:
                raise ValueError(f"loss='poisson' expects y >= 0, got {y.min()}")
            offset = np.sum(y * np.log(np.where(y > 0, y, 1)) - y, axis=1)
        return Data(X, np.ascontiguousarray(y, self._network.dtype), weight, offset)

    def _validated(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array, Any]:  # noqa: ARG002, N803
        X, y = self._arrays(X, y, reset, y_numeric=True)  # noqa: N806
        return X, y.reshape(len(y), -1), y
