"""What ``ne_torch.Residual`` is in torch, where pickle and ``torch.save`` find it by name."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["Residual"]


class Residual(torch.nn.Sequential):  # type: ignore[misc]
    """``x + f(x)``."""

    def forward(self, x: Any) -> Any:
        """Return x + f(x)."""
        return x + super().forward(x)
