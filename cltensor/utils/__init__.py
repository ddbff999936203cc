"""Tools around training: the data pipeline, activation checkpointing, timing, DLPack; summaries, drawings, plots and progress."""

import importlib as _importlib

from . import benchmark, checkpoint, data, dlpack
from .swapping import swap_tensors

#: name -> the module that it is in, imported on first use
_LATER = {"ModelStatistics": "model_summary", "summary": "model_summary", "ModelDrawing": "model_drawing", "draw": "model_drawing",
          "progress": "progress_bar"}
_MODULES = ("plot", "tensorboard")

__all__ = ["ModelDrawing", "ModelStatistics", "benchmark", "checkpoint", "data", "dlpack", "draw", "plot", "progress", "summary",
           "swap_tensors", "tensorboard"]


def __getattr__(name):
    """Import what looks at models and at training on first use, which keeps `import cltensor` fast."""
    if name in _MODULES:
        return _importlib.import_module(f".{name}", __name__)
    if name in _LATER:
        return getattr(_importlib.import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module 'cltensor.utils' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
