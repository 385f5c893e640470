"""Data that training reads: bytes converted on the way, batches made on the way, and batches of arrays."""

from ne_torch.data.array_batches import ArrayBatches, batches
from ne_torch.data.scaled import Scaled
from ne_torch.data.stream import Batches

__all__ = ["ArrayBatches", "Batches", "Scaled", "batches"]
