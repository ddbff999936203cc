"""cltensor: PyTorch's programming model on any OpenCL device."""

import importlib as _importlib

from . import autograd, linalg, opencl, special
from .autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .base import absent as _absent
from .base import dtypes as _dtypes
from .base.dtypes import dtype, finfo, get_default_dtype, iinfo, set_default_dtype
from .base.errors import (
    AbsentError,
    ArgumentError,
    ArgumentTypeError,
    AutogradError,
    BuildError,
    CLTensorError,
    DeviceError,
    DimensionError,
    DTypeError,
    OutOfMemoryError,
    SerializationError,
    ShapeError,
)
from .base.layouts import channels_last, channels_last_3d, contiguous_format, memory_format, preserve_format
from .base.shapes import Size, broadcast_shapes
from .runtime.device import device
from .tensor import Generator, Tensor, default_generator
from .tensor import namespace as _namespace
from .tensor.formatting import set_printoptions
from .version import __version__

globals().update(_dtypes.BY_NAME)
globals().update(_dtypes.ALIASES)
globals().update(_namespace())


def is_tensor(obj):
    """Whether obj is a Tensor."""
    return isinstance(obj, Tensor)


def _array_namespace(self, *, api_version=None):
    """The module of the Python array API standard: cltensor.array_api."""
    if api_version not in (None, "2022.12", "2023.12", "2024.12"):
        raise ArgumentError(f"__array_namespace__: version {api_version!r} of the array API standard is not supported")
    return _importlib.import_module(".array_api", __name__)


Tensor.__array_namespace__ = _array_namespace

_MODULES = ("array_api", "fft", "func", "io", "nn", "optim", "signal", "utils")
_HOMES = {"load": "io", "save": "io"}


def __getattr__(name):
    """The modules and functions that are imported by their first use, which keeps `import cltensor` quick."""
    if name in _MODULES:
        return _importlib.import_module(f".{name}", __name__)
    if name in _HOMES:
        return getattr(__getattr__(_HOMES[name]), name)
    _absent.refuse("cltensor", name, _absent.REASONS)
    raise AttributeError(f"module 'cltensor' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_MODULES, *_HOMES})
