"""Exporting: models written in the ONNX format."""

from .comparing import DifferentError
from .export import export
from .lowering import UnmappedError
