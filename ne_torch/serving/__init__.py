"""Frozen models for serving: immutable, packed for one pass, safe from many threads, savable, exportable."""

from ne_torch.serving.file import load_predictor
from ne_torch.serving.predictor import Predictor

__all__ = ["Predictor", "load_predictor"]
