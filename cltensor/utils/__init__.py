"""Tools around training that hold no tensors of their own: the data pipeline."""

from . import data

__all__ = ["data"]
