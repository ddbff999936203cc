"""The package onnx, imported on first use."""

from ...base.extras import extra


def package(module="onnx", call="onnx.load"):
    """A module of the package onnx, or of what it needs.  Raises MissingPackageError, which names the public call."""
    return extra(module, "onnx", call)
