"""Training tools without tensors of their own: the data pipeline and activation checkpointing."""

from . import checkpoint, data

__all__ = ["checkpoint", "data"]
