"""cltensor.onnx: models in the ONNX format."""

from ..base.calls import named as _named
from .reading import Info, Model, info, load
from .writing import DifferentError, UnmappedError, export

__all__ = ["DifferentError", "Info", "Model", "UnmappedError", "export", "info", "load"]

for _name in ("export", "info", "load"):
    _named(globals()[_name], f"onnx.{_name}")


def __dir__():
    return sorted(__all__)
