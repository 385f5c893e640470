"""Normalisation of a feature over the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch._checks import positive_integer
from ne_torch._memory import aligned
from ne_torch.layer import StatesOf
from ne_torch.normalization.normalization import Normalization
from ne_torch.typing import Array, ArrayLike, DTypeName

__all__ = ["BatchNorm1d"]


class BatchNorm1d(Normalization):
    """``y = (x - mean) / sqrt(var + eps) * weight + bias``, mean and variance of a feature over the batch.

    In train mode they are the batch's own, with the biased variance, and the running ones follow them:
    ``running = (1 - momentum) * running + momentum * batch's``, there with the unbiased variance. In eval
    mode they are the running ones. (Ioffe and Szegedy, ICML 2015.)

    Parameters
    ----------
    num_features : int
        The length of the last axis.
    eps : float, default 1e-5
        Added to the variance.
    momentum : float or None, default 0.1
        The share of the batch in the running statistics; None for the average of all batches so far.
    affine : bool, default True
        Whether there are a weight and a bias.
    track_running_stats : bool, default True
        Whether there are running statistics; without them eval mode takes the batch's, too.
    dtype : {"float32", "float64"}, default "float32"
        Precision of parameters, inputs and arithmetic.

    Attributes
    ----------
    weight, bias : ndarray of shape (num_features,) or None
        Live, writable in place; they begin as ones and zeros.
    grad_weight, grad_bias : ndarray or None
        Gradients of the last backward pass.
    running_mean, running_var : ndarray of shape (num_features,) or None
        Persistent buffers.
    num_batches_tracked : ndarray of shape (), int64, or None
        Likewise.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as said.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> norm = nt.BatchNorm1d(1, eps=0.0, momentum=1.0, dtype="float64")
    >>> norm(np.array([[1.0], [3.0]])).tolist(), norm.running_mean.tolist(), norm.running_var.tolist()
    ([[-1.0], [1.0]], [2.0], [2.0])
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: DTypeName = "float32",
    ) -> None:
        self.num_features = positive_integer(num_features, "BatchNorm1d", "num_features")
        super().__init__(self.num_features, eps, affine, affine, dtype)
        self.momentum = None if momentum is None else _core.finite_number(momentum, "BatchNorm1d", "momentum")
        tracks = bool(track_running_stats)
        self.track_running_stats = tracks
        self.running_mean = aligned(np.zeros(self.num_features, self.dtype)) if tracks else None
        self.running_var = aligned(np.ones(self.num_features, self.dtype)) if tracks else None
        self.num_batches_tracked = np.zeros((), np.int64) if tracks else None

    def forward(self, x: ArrayLike) -> Array:
        """Return the normalised x of shape (samples, num_features).

        Raises
        ------
        ValueError
            If x is of another shape, or the batch's statistics are wanted and it has fewer than two samples.
        TypeError
            If x has another dtype than the layer.
        """
        x = _core.as_array(x, "BatchNorm1d", "input", self.dtype.name)
        if x.ndim != 2 or x.shape[1] != self.num_features:
            raise ValueError(
                f"BatchNorm1d: expected input of shape (samples, {self.num_features}), got {x.shape}"
            )
        if self.running_mean is not None and not self.training:
            scale, shift = self.folded()
            self._saved = (x, None)
            return _core.scale_shift(x, scale, shift, "BatchNorm1d")
        if len(x) < 2:
            raise ValueError(
                f"BatchNorm1d: expected at least 2 samples for their statistics, got shape {x.shape}; "
                "in eval mode one is enough"
            )
        running = None
        if self.num_batches_tracked is not None:
            share = self.momentum
            if share is None:
                share = 1.0 / (int(self.num_batches_tracked) + 1)
            running = (self.running_mean, self.running_var, share)
        y, *saved = _core.batch_norm_forward(x, self.weight, self.bias, self.eps, running, "BatchNorm1d")
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
        self._saved = tuple(saved)
        return y

    def backward(self, grad_output: ArrayLike) -> Array:
        """Fill ``grad_weight`` and ``grad_bias``, return the gradient with respect to the last input.

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        ValueError
            If the shape is not that of the last output.
        """
        normalized, rstd = self._kept(self._saved)
        if rstd is None:
            return self._backward_of_eval(grad_output, normalized)
        grad_input, *grads = _core.batch_norm_backward(
            grad_output, normalized, rstd, self.weight, "BatchNorm1d"
        )
        self._keep_gradients(*grads)
        return grad_input

    def _backward_of_eval(self, grad_output: ArrayLike, x: Array) -> Array:
        normalized = _core.scale_shift(
            x, *_core.fold_statistics(None, None, self.running_mean, self.running_var, self.eps)
        )
        grads = _core.scale_shift_gradients(grad_output, normalized, "BatchNorm1d")
        self._keep_gradients(*grads)
        return _core.scale_shift(grad_output, self.folded()[0], None, "BatchNorm1d", "grad_output")

    def folded(self) -> tuple[Array, Array]:
        """Return scale and shift of eval mode."""
        return _core.fold_statistics(self.weight, self.bias, self.running_mean, self.running_var, self.eps)

    def named_buffers(self, persistent_only: bool = False) -> dict[str, Array]:  # noqa: ARG002 - all are
        """Return the running statistics under torch's names."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return {}
        return {
            "running_mean": self.running_mean,
            "running_var": self.running_var,
            "num_batches_tracked": self.num_batches_tracked,
        }

    def _arguments(self) -> dict[str, Any]:
        return {
            "num_features": self.num_features,
            "eps": self.eps,
            "momentum": self.momentum,
            "affine": self._weight is not None,
            "track_running_stats": self.track_running_stats,
            "dtype": self.dtype.name,
        }

    def _stage(self, states: StatesOf) -> tuple[Any, ...]:
        running = None
        if self.num_batches_tracked is not None:
            running = (self.running_mean, self.running_var, self.num_batches_tracked, self.momentum)
        return ("batch_norm", self.features, self.eps, *self._learned(states), running)

    def __repr__(self) -> str:
        return (
            f"BatchNorm1d({self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self._weight is not None}, track_running_stats={self.track_running_stats}, "
            f"dtype={self.dtype.name})"
        )
