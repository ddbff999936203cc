"""vision: pictures in and out, transforms, datasets, models and their ops, with torchvision's names."""

import importlib as _importlib

__all__ = ["datasets", "io", "models", "ops", "transforms", "tv_tensors", "utils"]

_MODULES = ("datasets", "io", "models", "ops", "transforms", "tv_tensors", "utils")


def __getattr__(name):
    """Import the parts on first use."""
    if name in _MODULES:
        return _importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'cltensor.vision' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
