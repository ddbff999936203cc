"""Reading ONNX files: the protobuf, the table of operators, and the Module that runs them."""

from .info import Info, info
from .load import load
from .model import Model

__all__ = ["Info", "Model", "info", "load"]
