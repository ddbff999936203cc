"""Saving and loading: tensors and nested Python data in safetensors files, which never run code."""

from .load import load
from .save import save

__all__ = ["load", "save"]
