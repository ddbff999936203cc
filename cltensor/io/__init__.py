"""Save and load tensors and nested Python data as safetensors files, which never run code."""

from .load import load
from .save import save

__all__ = ["load", "save"]
