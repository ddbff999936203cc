"""Tools around training: the data pipeline, activation checkpointing, timing, DLPack."""

from . import benchmark, checkpoint, data, dlpack

__all__ = ["benchmark", "checkpoint", "data", "dlpack"]
