"""Training on all rows at once, by L-BFGS."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ne_torch import LBFGS
from ne_torch._mode import mode
from ne_torch.sklearn.network import Network
from ne_torch.sklearn.objective import Data, Objective

__all__ = ["NOT_FINITE", "fit_lbfgs"]

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)

_FTOL = 2.220446049250313e-09  # SciPy's default, which is scikit-learn's


def fit_lbfgs(estimator: Any, objective: Objective, data: Data) -> None:
    """Minimise the objective with its penalty over all rows; set ``loss_`` and ``n_iter_``."""
    network = estimator._network
    solver = LBFGS(
        network.model.parameters(),
        max_iter=int(estimator.max_iter),
        max_eval=int(estimator.max_fun),
        tolerance_grad=float(estimator.tol),
        tolerance_change=_FTOL,
        history_size=10,
    )
    evaluate = _Evaluation(network, objective, data, float(estimator.alpha))
    try:
        with mode(network.model, training=True):
            solver.step(evaluate)
            estimator.loss_ = evaluate.reported()
    except RuntimeError as error:
        if "finite" not in str(error):
            raise
        raise ValueError(NOT_FINITE) from error
    estimator.n_iter_ = min(solver.steps, estimator.max_iter)
    if not solver.message.startswith("CONVERGENCE"):
        warnings.warn(
            f"lbfgs failed to converge after {estimator.n_iter_} iteration(s): {solver.message}. Increase "
            "max_iter or max_fun, or scale the data.",
            ConvergenceWarning,
            stacklevel=5,
        )
    if estimator.verbose:
        print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")


class _Evaluation:
    """Forward and backward on all rows: the closure of LBFGS."""

    def __init__(self, network: Network, objective: Objective, data: Data, alpha: float) -> None:
        self._share, sums = objective.shares(data, None, len(data.target), network.dtype)
        self._network, self._objective, self._data = network, objective, data
        self._decay = alpha / float(sums[0])
        rows = data.x.toarray() if hasattr(data.x, "toarray") else data.x
        self._x = np.ascontiguousarray(rows, network.dtype)

    def _loss(self) -> float:
        prediction = self._network.model.forward(self._x)
        return float(self._objective.loss.forward(prediction, self._data.target, self._share))

    def __call__(self) -> float:
        """Return the objective that the gradients are of: the loss is summed over outputs."""
        value = self._loss()
        self._network.model.backward(self._objective.loss.backward())
        for parameter in self._network.weights:
            assert parameter.grad is not None  # backward has just filled it
            parameter.grad = parameter.grad + self._decay * parameter.data
        return value + self._network.penalty(self._decay)

    def reported(self) -> float:
        """Return the loss as ``loss_`` tells it."""
        offset = self._data.mean_offset(None, len(self._data.target))
        return self._loss() / self._objective.divisor + offset + self._network.penalty(self._decay)
