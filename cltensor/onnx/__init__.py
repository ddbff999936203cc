"""cltensor.onnx: models in the ONNX format."""

from ..base.calls import named as _named
from .reading import Info, Model, info, load

__all__ = ["Info", "Model", "info", "load"]

for _name in ("load", "info"):
    _named(globals()[_name], f"onnx.{_name}")


def __dir__():
    return sorted(__all__)
