"""Normalisation: of a sample over its features, of a feature over the batch."""

from ne_torch.normalization.batch_norm import BatchNorm1d
from ne_torch.normalization.layer_norm import LayerNorm

__all__ = ["BatchNorm1d", "LayerNorm"]
