"""cltensor.onnx: models in the ONNX format."""

from ..base.calls import named_all as _named_all
from .reading import Info, Model, info, load

__all__ = ["Info", "Model", "info", "load"]

_named_all(globals())
