"""A frozen model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ne_torch import _core
from ne_torch.serving.stages import Dense, Lookup, Stage, arrays, widths
from ne_torch.typing import Array, ArrayLike

__all__ = ["Predictor"]

_WEIGHTS = {"float32": "float32", "float64": "float64", "uint16": "bfloat16", "int8": "int8"}


class Predictor:
    """The forward pass of a model that will not change, packed for it.

    ``model.freeze()`` makes one, ``nt.load_predictor(path)`` opens one from a file. Its results are those of
    ``model.forward`` to the bit, for a row alone and in any batch. It cannot be changed, keeps nothing of its
    inputs, and may be called from any number of threads at once.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> model = nt.Sequential(nt.Linear(4, 8, rng=0), nt.ReLU(), nt.Linear(8, 2, rng=1))
    >>> predictor = model.freeze()
    >>> predictor
    Predictor(4 -> 8 relu -> 2, weights=float32)
    >>> x = np.ones((5, 4), dtype="float32")
    >>> bool((predictor(x) == model(x)).all()), predictor(x[0]).shape
    (True, (2,))
    """

    __slots__ = ("_dtype", "_predict", "_stages")

    _dtype: np.dtype[Any]
    _predict: Any
    _stages: tuple[Stage, ...]

    def __init__(self, stages: Sequence[Stage], dtype: str) -> None:
        for array in (array for stage in stages for array in arrays(stage)):
            array.flags.writeable = False
        core = _core.Predictor(dtype, tuple(stage.described() for stage in stages))
        for name, value in (
            ("_dtype", np.dtype(dtype)),
            ("_predict", core.predict),
            ("_stages", tuple(stages)),
        ):
            object.__setattr__(self, name, value)

    def __call__(self, x: ArrayLike, out: Array | None = None) -> Array:
        """Return the model's output for x.

        Parameters
        ----------
        x : array_like of shape (..., in_features)
            A row or a batch, of the model's dtype.
        out : ndarray of shape (..., out_features), optional
            Where to put the result; nothing is allocated then.

        Returns
        -------
        ndarray of shape (..., out_features)

        Raises
        ------
        ValueError
            If the last axis has another length, out does not fit, or a number in the column of a category is
            no code; out is as it was then.
        TypeError
            If x has another dtype than the model.
        """
        return self._predict(x, out)  # type: ignore[no-any-return]

    @property
    def in_features(self) -> int:
        """Length of the last axis of x."""
        return widths(self._stages[0])[0]

    @property
    def out_features(self) -> int:
        """Length of the last axis of the result."""
        return widths(self._stages[-1])[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of inputs, arithmetic and results."""
        return self._dtype

    @property
    def weights(self) -> str:
        """How Linear layers' weights are kept: ``"float32"``, ``"float64"``, ``"bfloat16"`` or ``"int8"``."""
        return _WEIGHTS[next(stage.panels.dtype.name for stage in self._stages if isinstance(stage, Dense))]

    @property
    def nbytes(self) -> int:
        """Bytes of all weights, biases, scales and tables, with the padding of the panels."""
        return sum(array.nbytes for stage in self._stages for array in arrays(stage))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the predictor to a file of safetensors format, all of it or nothing.

        ``nt.load_predictor`` maps it into memory, on any machine.
        """
        from ne_torch.serving.file import save_predictor

        save_predictor(self._stages, self._dtype.name, path)

    def export_c(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        """Write the predictor as one C99 header, with no dependency and no allocation.

        It defines ``static void <name>_predict(const T *x, T *y)`` for one row, where T is float or double,
        and ``<NAME>_IN_FEATURES`` and ``<NAME>_OUT_FEATURES``. Compiled with FMA (``-mfma``, AArch64 always)
        it is fast; its results are this predictor's to the bit either way. Where a number is no code, they
        are NaN.

        Parameters
        ----------
        path : path-like
            Of the header.
        name : str, optional
            An identifier of C; by default the file's name without its suffix.
        """
        from ne_torch.serving.export_c import export_c

        export_c(self._stages, self._dtype.name, path, name)

    def __repr__(self) -> str:
        parts = [str(self.in_features)]
        for stage in self._stages:
            if isinstance(stage, Dense):
                parts.append(
                    f"{stage.out_features}" + f" {stage.activation}" * (stage.activation != "identity")
                )
            elif isinstance(stage, Lookup):
                parts.append(f"{stage.out_features} {stage.name}")
            else:
                parts.append(stage.name)
        return f"Predictor({' -> '.join(parts)}, weights={self.weights})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"Predictor: expected no assignment, got one to {name!r}; a predictor is immutable"
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"Predictor: expected no deletion, got one of {name!r}; a predictor is immutable"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._stages, self._dtype.name))

    def __copy__(self) -> Predictor:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Predictor:
        return self
