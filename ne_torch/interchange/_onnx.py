"""The package onnx, and the version of its operators that is written."""

from __future__ import annotations

from typing import Any

import numpy as np

from ne_torch._extras import extra

__all__ = ["IR_VERSION", "OPSET", "load_package", "plain_threshold"]

OPSET = 20  # the first with Gelu
IR_VERSION = 9  # the one of that time


def load_package(place: str) -> Any:
    """Return the package onnx; ImportError with the cure where it is missing."""
    with extra("onnx", place, "onnx"):
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    return onnx


def plain_threshold(dtype: Any) -> float:
    """Return the threshold from which Softplus is ONNX's, which has none: exp(-t) is below t * eps / 2."""
    return 20.0 if np.dtype(dtype) == np.float32 else 40.0
