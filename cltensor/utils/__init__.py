"""Tools around training that hold no tensors of their own: the data pipeline and activation checkpointing."""

from . import checkpoint, data

__all__ = ["checkpoint", "data"]
