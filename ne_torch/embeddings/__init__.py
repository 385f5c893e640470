"""Embeddings: rows of a table, looked up by number."""

from ne_torch.embeddings.embedding import Embedding
from ne_torch.embeddings.tabular_embedding import TabularEmbedding

__all__ = ["Embedding", "TabularEmbedding"]
