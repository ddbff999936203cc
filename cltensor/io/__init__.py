"""Save and load tensors and nested Python data, in formats that never run code unless they are told to."""

from .load import load
from .save import save

__all__ = ["load", "save"]


def __dir__():
    return sorted(__all__)
