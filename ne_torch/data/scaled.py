"""Features that stay in bytes until a batch is gathered."""

from __future__ import annotations

from typing import Any

import numpy as np

from ne_torch import _core
from ne_torch._checks import float_dtype
from ne_torch.typing import Array, ArrayLike

__all__ = ["Scaled"]


class Scaled:
    """uint8 features with a scale and a shift, read as they lie and converted batch by batch.

    A feature is ``fma(byte, scale, shift)`` in the dtype of the model, scale and shift rounded to it first.
    ``fit``, ``evaluate``, ``step`` and ``validation_data`` take it as x: a quarter of the memory of float32
    features, and the bits of training on ``np.asarray(scaled)``. With ``np.memmap`` or
    ``np.load(mmap_mode="r")`` the file is never read as a whole.

    Parameters
    ----------
    array : array_like of uint8, of shape (samples, ...)
        Kept, not copied.
    scale, shift : float or array_like, default 1 / 255 and 0
        For all features, or broadcast to the shape of a sample.
    dtype : {"float32", "float64"}, default "float32"
        What ``np.asarray`` and ``scaled[rows]`` give; a model takes its own.

    Raises
    ------
    TypeError
        If the array is of another dtype.
    ValueError
        If scale or shift do not broadcast to a sample, or are not finite.

    Examples
    --------
    >>> import numpy as np, ne_torch as nt
    >>> pixels = np.array([[0, 64], [128, 192]], dtype="uint8")
    >>> nt.data.Scaled(pixels, scale=1 / 64, shift=-1)[1:]
    array([[1., 2.]], dtype=float32)
    """

    def __init__(
        self,
        array: ArrayLike,
        scale: ArrayLike = 1 / 255,
        shift: ArrayLike = 0.0,
        dtype: Any = "float32",
    ) -> None:
        self._array = _core.numpy_view(array, "Scaled", "array")
        if self._array.dtype != np.uint8:
            raise TypeError(f"Scaled: expected an array of dtype uint8, got {self._array.dtype}")
        if self._array.ndim == 0:
            raise ValueError("Scaled: expected an array of shape (samples, ...), got ()")
        self._scale, self._shift = self._of_sample(scale, "scale"), self._of_sample(shift, "shift")
        self._dtype = float_dtype(dtype, "Scaled")
        for name, values in (("scale", self._scale), ("shift", self._shift)):
            with np.errstate(over="ignore"):
                rounded = values.astype(self._dtype)
            if not np.isfinite(rounded).all():
                raise ValueError(f"Scaled: expected {name} to be finite in {self._dtype}")

    def _of_sample(self, values: ArrayLike, name: str) -> Array:
        values = np.asarray(values, "float64")
        sample = self._array.shape[1:]
        try:
            return np.ascontiguousarray(np.broadcast_to(values, sample)).reshape(-1)
        except ValueError:
            raise ValueError(
                f"Scaled: expected {name} as a number or of a sample's shape {sample}, got {values.shape}"
            ) from None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that the bytes are converted to."""
        return self._dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        shape: tuple[int, ...] = self._array.shape
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return len(self._array)

    def astype(self, dtype: Any) -> Scaled:
        """Return the same bytes, to be converted to another dtype."""
        return self if dtype == self._dtype else Scaled(self._array, *self._factors(), dtype=dtype)

    def __getitem__(self, rows: Any) -> Array:
        """Return converted rows, for a slice, an index or an array of indices."""
        part = self._array[rows]
        if not part.size:
            return np.empty(part.shape, self._dtype)
        flat = np.ascontiguousarray(part).reshape(-1, self._scale.size)
        converted: Array = self._described(flat).converted().reshape(part.shape)
        return converted

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("Scaled: expected to convert, which makes a copy, got copy=False")
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"Scaled(shape={self.shape}, dtype={self._dtype})"

    def _factors(self) -> tuple[Array, Array]:
        sample = self._array.shape[1:]
        return self._scale.reshape(sample), self._shift.reshape(sample)

    def _described(self, bytes_: Array) -> _core.ScaledBytes:
        return _core.ScaledBytes(bytes_, self._scale.astype(self._dtype), self._shift.astype(self._dtype))

    def _for_engine(self) -> _core.ScaledBytes | None:
        """Return what the engine gathers from; None where it cannot read the bytes as they lie."""
        ready = self._array.ndim == 2 and self._array.flags.c_contiguous
        return self._described(self._array) if ready else None
