"""Error classes.  Every message names the op, the values, the rule that was broken and the cure.

Each class also derives from the class PyTorch raises in the same place, so `except RuntimeError` keeps working.
"""

import pickle

from . import calls


class CLTensorError(RuntimeError):
    """Base of every error that cltensor raises; its message begins with the running public call."""

    def __init__(self, message="", *rest):
        super().__init__(calls.attributed(message) if isinstance(message, str) and message else message, *rest)


class ShapeError(CLTensorError):
    """Shapes, sizes or dimensions that do not fit the op."""


class DimensionError(ShapeError, IndexError):
    """A dimension or index outside the tensor's range."""


class AssertedShapeError(ShapeError, AssertionError):
    """Sizes that do not fit, where PyTorch asserts that they do."""


class MismatchError(ShapeError, ValueError):
    """Shapes that do not fit, where PyTorch raises ValueError."""


class DTypeError(CLTensorError, TypeError):
    """A dtype the op, or the device, cannot work with."""


class UnsupportedDTypeError(DTypeError, NotImplementedError):
    """A dtype the op has no kernel for, which PyTorch calls not implemented."""


class AbsentError(DTypeError, AttributeError):
    """A part of PyTorch that is left out on purpose, such as quantized dtypes; hasattr() is False for it."""


class ArgumentError(CLTensorError, ValueError):
    """An argument of the right type with a value that makes no sense."""


class AssertedError(ArgumentError, AssertionError):
    """A value that makes no sense, where PyTorch asserts that it does."""


class UnsupportedError(ShapeError, ArgumentError, NotImplementedError):
    """A mode that does not exist at all or for this shape, which PyTorch calls not implemented."""


class ArgumentTypeError(CLTensorError, TypeError):
    """An argument of the wrong Python type."""


class MissingError(CLTensorError, NotImplementedError):
    """A method that a subclass must define and does not."""


ZERO_DIVISION = "ZeroDivisionError: an integer is divided by 0"


class DivisionError(CLTensorError, ZeroDivisionError):
    """An integer divided by 0."""


class DeviceError(CLTensorError):
    """No such device, tensors on different devices, or a limit of the device that would be exceeded."""


class NoDataError(DeviceError, NotImplementedError, TypeError):
    """Values of a meta tensor, which has none, were asked for."""


class OutOfMemoryError(CLTensorError):
    """The device cannot hold the allocation, even after cached blocks were given back."""


class BuildError(CLTensorError):
    """A kernel did not compile; the message carries the op, the dtype, the device and the compiler's log."""


class AutogradError(CLTensorError):
    """backward() cannot run: no graph, graph freed, a saved tensor was changed in place, a non-scalar root."""


class GraphError(CLTensorError):
    """A static graph that is defined or run in a way that it cannot be."""


class CaptureError(CLTensorError):
    """A program that was to be captured as a whole does what a graph cannot repeat."""


class SerializationError(CLTensorError):
    """A file is truncated, corrupt, or asks for something a safe format does not allow."""


class PickleError(SerializationError, pickle.UnpicklingError):
    """A pickle in a file names something that a file of data may not use."""


class MissingPackageError(CLTensorError, ImportError):
    """A package that a part of cltensor is made of, and that an extra installs, is not there."""

    def __init__(self, message="", *rest, name=None):
        super().__init__(message, *rest)
        self.name = name
