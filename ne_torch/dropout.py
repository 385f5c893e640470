"""Dropout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch.layer import Layer, StatesOf
from ne_torch.random import RandomLike, as_generator
from ne_torch.typing import Array, ArrayLike

__all__ = ["Dropout"]


class Dropout(Layer):
    """In train mode ``y = 0`` with probability p, else ``y = x / (1 - p)``; in eval mode ``y = x``.

    What is dropped is a function of the seed, of how many forward passes there were in train mode, and of
    the element's place: of sample number b (all axes but the last, as one) the feature f is dropped where
    word f % 4 of Philox 4x32-10 for the counter (pass mod 2^32, pass / 2^32, b, f / 4) is below
    ``round(p 2^32)``. So it does not depend on instruction set, threads or layout, and training that stops
    and goes on drops what it would have dropped. (Hinton et al., 2012; Srivastava et al., JMLR 15, 2014.)

    Parameters
    ----------
    p : float, default 0.5
        From 0 to 1.
    rng : int, Generator, numpy.random.Generator or None
        Where the seed comes from: the next word of this stream.

    Attributes
    ----------
    stream : ndarray of shape (2,), uint64
        The seed and the number of passes: a buffer, which ``Trainer.save`` keeps and ``state_dict`` does not.

    Raises
    ------
    TypeError, ValueError
        If p is no number from 0 to 1.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> dropout = nt.Dropout(0.5, rng=0)
    >>> y = dropout(np.ones((100, 100)))
    >>> sorted(set(y.ravel().tolist())), bool(0.45 < (y > 0).mean() < 0.55)
    ([0.0, 2.0], True)
    >>> bool((dropout.eval()(y) == y).all())
    True
    """

    def __init__(self, p: float = 0.5, rng: RandomLike = None) -> None:
        self.p = p
        self.stream = np.array([as_generator(rng).word(), 0], np.uint64)
        self._saved: tuple[Any, ...] | None = None

    @property
    def p(self) -> float:
        """The probability to drop an element."""
        return self._p

    @p.setter
    def p(self, value: float) -> None:
        p = _core.finite_number(value, "Dropout", "p")
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: expected p from 0 to 1, got {value!r}")
        self._p = p
        _core.structure_changed()

    @property
    def _drops(self) -> bool:
        return self.training and self.p >= math.ldexp(1, -33)  # below, no word of 32 bits is small enough

    def forward(self, x: ArrayLike, out: Array | None = None) -> Array:
        """Return x with some elements dropped, or a copy of x in eval mode.

        Raises
        ------
        TypeError
            If x is not of float32 or float64.
        """
        x = _core.as_array(x, "Dropout", "input", None)
        if not self._drops:
            self._saved = (x.shape, None)
            return _core.activation_forward("identity", x, out, "Dropout")
        seed, passed = self.stream.tolist()
        y = _core.dropout(x, seed, passed, self.p, out, "Dropout", "input")
        self._saved = (x.shape, (seed, passed, self.p))
        self.stream[1] = (passed + 1) % 2**64
        return y

    def backward(self, grad_output: ArrayLike) -> Array:
        """Return grad_output dropped and scaled as the last forward pass did it.

        Raises
        ------
        RuntimeError
            If there was no forward pass.
        ValueError
            If the shape is not that of the last input.
        """
        shape, drawn = self._kept(self._saved)
        grad: Array = _core.as_array(grad_output, "Dropout", "grad_output", None)
        if grad.shape != shape:
            raise ValueError(f"Dropout: expected grad_output of shape {shape}, got {grad.shape}")
        if drawn is None:
            return _core.activation_forward("identity", grad, None, "Dropout")
        seed, passed, p = drawn
        return _core.dropout(grad, seed, passed, p, None, "Dropout", "grad_output")

    def named_buffers(self, persistent_only: bool = False) -> dict[str, Array]:
        """Return the stream as ``stream``; it is not persistent."""
        return {} if persistent_only else {"stream": self.stream}

    def _arguments(self) -> dict[str, Any]:
        return {"p": self.p}

    def _stage(self, states: StatesOf) -> tuple[Any, ...]:  # noqa: ARG002 - nothing is learned
        return ("dropout", self.p, self.stream)

    def __repr__(self) -> str:
        return f"Dropout(p={self.p})"
