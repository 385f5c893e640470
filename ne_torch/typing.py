"""Types that appear in ne_torch's signatures."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

__all__ = ["Array", "ArrayLike", "DTypeName"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
"""What a layer returns: a C-contiguous array of float32 or float64."""

ArrayLike: TypeAlias = Any
"""What a layer takes: an array, a nested list of floats, a CPU tensor, anything NumPy can view."""

DTypeName: TypeAlias = Literal["float32", "float64"] | np.dtype[Any] | type[np.floating[Any]]
"""A computing precision, as a name or as NumPy spells it."""
