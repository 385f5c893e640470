"""When to stop: what is watched after each epoch, and the best weights so far."""

from __future__ import annotations

from typing import Any

from ne_torch.sklearn.objective import Data, Objective
from ne_torch.typing import Array

__all__ = ["Stopping"]


class Stopping:
    """Watches the training loss, or with ``early_stopping`` the validation score.

    Parameters
    ----------
    estimator : BaseMLP
        Its curves and its count of epochs without improvement are kept here.
    objective : Objective
    validation : Data or None
        None without early stopping.
    labels : array or None
        What the validation score compares with.
    """

    def __init__(self, estimator: Any, objective: Objective, validation: Data | None, labels: Any) -> None:
        self._estimator, self._objective = estimator, objective
        self._validation, self._labels = validation, labels

    @property
    def columns(self) -> list[str]:
        """What callbacks may monitor."""
        if self._validation is None:
            return ["loss", "seconds"]
        return ["loss", "seconds", "validation_loss", f"validation_{self._estimator._metric}"]

    @property
    def exhausted(self) -> bool:
        """Whether there was no improvement for more than ``n_iter_no_change`` epochs."""
        estimator = self._estimator
        return bool(estimator._no_improvement_count > estimator.n_iter_no_change)

    def look(self) -> tuple[float, dict[str, float]] | None:
        """Judge the epoch; return validation loss and score where there are some."""
        if self._validation is None:
            self._look_at_loss()
            return None
        return self._look_at_score(self._validation)

    def _look_at_loss(self) -> None:
        estimator = self._estimator
        improved = not estimator.loss_ > estimator.best_loss_ - estimator.tol
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1
        estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)

    def _look_at_score(self, validation: Data) -> tuple[float, dict[str, float]]:
        estimator = self._estimator
        outputs = estimator._network.forward(validation.x)
        loss = self._objective.value(outputs, validation)
        score = estimator._score(outputs, self._labels, validation.weight)
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        improved = not score < estimator.best_validation_score_ + estimator.tol
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1
        estimator.validation_scores_.append(score)
        estimator.validation_loss_curve_.append(loss)
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            estimator._best_weights = estimator._network.model.state_dict()
        return loss, {estimator._metric: score}

    def exhaust(self) -> None:
        """Leave the best weights behind, for ``partial_fit`` too, and say so in ``early_stopped_``."""
        if self._validation is not None:
            self.restore()
            self._estimator.early_stopped_ = True

    def restore(self) -> None:
        """Leave the network with the weights of the best score, be it that of a call before."""
        best: dict[str, Array] | None = getattr(self._estimator, "_best_weights", None)
        if self._validation is not None and best:
            self._estimator._network.model.load_state_dict(best)

    def say(self, consequence: str) -> None:
        """Print why, where ``verbose`` asks for it."""
        estimator = self._estimator
        if estimator.verbose:
            watched = "Training loss" if self._validation is None else "Validation score"
            print(
                f"{watched} did not improve more than tol={estimator.tol:f} for "
                f"{estimator.n_iter_no_change} consecutive epochs. {consequence}"
            )
