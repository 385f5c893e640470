"""Metrics: what a model is judged by, beside its loss.

Each is a function of all predictions and all targets, computed in float64 with sums that are rounded once
(``math.fsum``), so that a metric is the same number everywhere, too. Any function ``metric(prediction,
target) -> float`` of your own serves ``fit(metrics=...)`` as well.
"""

from __future__ import annotations

import math

import numpy as np

from ne_torch import _core
from ne_torch.typing import Array, ArrayLike

__all__ = [
    "accuracy",
    "binary_accuracy",
    "f1",
    "mean_absolute_error",
    "mean_squared_error",
    "r2",
    "root_mean_squared_error",
    "top_k_accuracy",
]


def accuracy(prediction: ArrayLike, target: ArrayLike) -> float:
    """Return the share of samples whose largest output is that of the right class.

    Parameters
    ----------
    prediction : array_like of shape (..., classes)
        Logits or probabilities; of equal ones the first counts. NaN is never right.
    target : array_like
        Class indices of shape (...) or (..., 1), or one-hot rows or probabilities of prediction's shape.

    Raises
    ------
    ValueError
        If the shapes do not fit, or there is one output only: see ``binary_accuracy``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.metrics.accuracy([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], [1, 0, 0])
    0.6666666666666666
    """
    return top_k_accuracy(prediction, target, 1)


def top_k_accuracy(prediction: ArrayLike, target: ArrayLike, k: int = 5) -> float:
    """Return the share of samples whose right class is among the k largest outputs.

    Parameters, shapes and errors are those of ``accuracy``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.metrics.top_k_accuracy([[0.1, 0.6, 0.3], [0.7, 0.2, 0.1]], [2, 2], k=2)
    0.5
    """
    place = "top_k_accuracy" if k > 1 else "accuracy"
    prediction = _core.numpy_view(prediction, place, "prediction")
    classes = _classes(prediction, target, place)
    rows = prediction.reshape(-1, prediction.shape[-1])
    right = rows[np.arange(len(rows)), classes.ravel()][:, None]
    earlier = np.arange(rows.shape[1]) < classes.reshape(-1, 1)
    above = (rows > right) | ((rows == right) & earlier) | np.isnan(rows)
    return float(np.count_nonzero(above.sum(1) < k)) / len(rows) if len(rows) else math.nan


def binary_accuracy(prediction: ArrayLike, target: ArrayLike, threshold: float = 0.5) -> float:
    """Return the share of outputs on the right side of a threshold, for targets 0 and 1.

    Probabilities are told apart at 0.5, logits at 0. For ``fit``:
    ``metrics={"accuracy": lambda p, t: nt.metrics.binary_accuracy(p, t, threshold=0.0)}``.

    Parameters
    ----------
    prediction, target : array_like of one shape
    threshold : float, default 0.5

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.metrics.binary_accuracy([[0.2], [0.7], [0.6]], [[0], [1], [0]])
    0.6666666666666666
    """
    prediction, target = _pair(prediction, target, "binary_accuracy")
    right = (prediction > threshold) == (target > 0.5)
    right &= ~np.isnan(prediction)
    return float(np.count_nonzero(right)) / right.size if right.size else math.nan


def f1(prediction: ArrayLike, target: ArrayLike) -> float:
    """Return the mean over classes of F1 = 2 TP / (2 TP + FP + FN), scikit-learn's ``average="macro"``.

    Classes that neither occur nor are predicted are left out. Parameters are those of ``accuracy``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.metrics.f1([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], [1, 0, 0])
    0.6666666666666666
    """
    prediction = _core.numpy_view(prediction, "f1", "prediction")
    right = _classes(prediction, target, "f1").ravel()
    taken = prediction.reshape(-1, prediction.shape[-1]).argmax(1)
    count = prediction.shape[-1]
    hits = np.bincount(right[right == taken], minlength=count)
    total = np.bincount(right, minlength=count) + np.bincount(taken, minlength=count)
    scores = 2 * hits[total > 0] / total[total > 0]
    return math.fsum(scores) / len(scores) if len(scores) else math.nan


def mean_absolute_error(prediction: ArrayLike, target: ArrayLike) -> float:
    """Return the mean of abs(prediction - target) over all elements.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.metrics.mean_absolute_error([1.0, 2.0], [0.0, 4.0])
    1.5
    """
    prediction, target = _pair(prediction, target, "mean_absolute_error")
    return _mean(np.abs(prediction - target))


def mean_squared_error(prediction: ArrayLike, target: ArrayLike) -> float:
    """Return the mean of (prediction - target)^2 over all elements.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.metrics.mean_squared_error([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    prediction, target = _pair(prediction, target, "mean_squared_error")
    return _mean((prediction - target) ** 2)


def root_mean_squared_error(prediction: ArrayLike, target: ArrayLike) -> float:
    """Return the square root of ``mean_squared_error``.

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.metrics.root_mean_squared_error([1.0, 2.0], [3.0, 4.0])
    2.0
    """
    return math.sqrt(mean_squared_error(prediction, target))


def r2(prediction: ArrayLike, target: ArrayLike) -> float:
    """Return the coefficient of determination, 1 - sum (t - p)^2 / sum (t - mean t)^2, averaged over outputs.

    As in scikit-learn's ``r2_score``, an output whose target never changes counts 1 where it is met exactly
    and 0 otherwise, and one sample alone gives NaN.

    Parameters
    ----------
    prediction, target : array_like of shape (samples,) or (samples, outputs)

    Examples
    --------
    >>> import ne_torch as nt
    >>> nt.metrics.r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.7857142857142857
    """
    prediction, target = _pair(prediction, target, "r2")
    if len(target) < 2:
        return math.nan
    columns = [a.reshape(len(a), -1).T for a in (prediction, target)]
    scores = [_r2_of_one(p, t) for p, t in zip(*columns, strict=True)]
    return math.fsum(scores) / len(scores) if scores else math.nan


def _r2_of_one(prediction: Array, target: Array) -> float:
    residual = _sum((target - prediction) ** 2)
    spread = _sum((target - _mean(target)) ** 2)
    if spread == 0:
        return 1.0 if residual == 0 else 0.0
    return 1 - residual / spread


def _sum(values: Array) -> float:
    """Return the exact sum, rounded once; infinities and NaN as IEEE 754 adds them."""
    try:
        return math.fsum(values.ravel())
    except (ValueError, OverflowError):  # infinities of both signs, or a sum beyond float64
        return float(values.sum())


def _mean(values: Array) -> float:
    return _sum(values) / values.size if values.size else math.nan


def _pair(prediction: ArrayLike, target: ArrayLike, place: str) -> tuple[Array, Array]:
    prediction = _core.numpy_view(prediction, place, "prediction").astype("float64", copy=False)
    target = _core.numpy_view(target, place, "target").astype("float64", copy=False)
    if prediction.shape != target.shape:
        raise ValueError(
            f"{place}: expected prediction and target of one shape, got {prediction.shape} and {target.shape}"
        )
    return prediction, target


def _classes(prediction: Array, target: ArrayLike, place: str) -> Array:
    """Return the right classes as indices of prediction.shape[:-1]."""
    target = _core.numpy_view(target, place, "target")
    if prediction.ndim == 0 or prediction.shape[-1] < 2:
        raise ValueError(
            f"{place}: expected prediction of shape (..., classes) with two classes at least, got "
            f"{prediction.shape}; for one output there is binary_accuracy"
        )
    shape, count = prediction.shape[:-1], prediction.shape[-1]
    if target.shape == prediction.shape:
        classes: Array = target.argmax(-1)
        return classes
    if target.shape not in (shape, (*shape, 1)) or target.dtype.kind not in "iu":
        raise ValueError(
            f"{place}: expected target as integers of shape {shape} or as rows of shape {prediction.shape}, "
            f"got {target.dtype} of shape {target.shape}"
        )
    if target.size and not (target.min() >= 0 and target.max() < count):
        raise ValueError(
            f"{place}: expected class indices from 0 to {count - 1}, got {target.min()} to {target.max()}"
        )
    indices: Array = target.reshape(shape)
    return indices
