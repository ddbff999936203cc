"""Tools around training: the data pipeline, activation checkpointing, timing, DLPack."""

from . import benchmark, checkpoint, data, dlpack
from .swapping import swap_tensors

__all__ = ["benchmark", "checkpoint", "data", "dlpack", "swap_tensors"]
