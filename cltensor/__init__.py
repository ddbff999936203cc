"""cltensor: PyTorch's programming model on any OpenCL device."""

import importlib as _importlib
from math import e, inf, nan, pi

from . import autograd, linalg, opencl, special
from .autograd.modes import (
    enable_grad,
    inference_mode,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .autograd.modes import set_detect_anomaly as set_anomaly_enabled
from .base import absent as _absent
from .base import dtypes as _dtypes
from .base import shapes as _shapes
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
from .base.layouts import channels_last, channels_last_3d, contiguous_format, layout, memory_format, preserve_format, strided
from .base.shapes import Size
from .runtime.device import default_device as get_default_device
from .runtime.device import device, set_default_device
from .tensor import Generator, Tensor, default_generator
from .tensor import namespace as _namespace
from .tensor.formatting import set_printoptions
from .version import __version__

newaxis = None
globals().update(_dtypes.BY_NAME)
globals().update(_dtypes.ALIASES)
globals().update(_namespace())


def broadcast_shapes(*shapes):
    """The shape that tensors of these shapes broadcast to.  Raises ShapeError where they do not."""
    return Size(_shapes.broadcast_shapes(*((s,) if hasattr(s, "__index__") else tuple(s) for s in shapes)))


def is_tensor(obj):
    """Whether obj is a Tensor."""
    return isinstance(obj, Tensor)


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Accepted for PyTorch's sake: results here are the same from run to run whatever mode is."""


def are_deterministic_algorithms_enabled():
    """True: results are the same from run to run."""
    return True


def set_float32_matmul_precision(precision):
    """Accepted for PyTorch's sake: products of float32 are computed in float32.  Raises ArgumentError for another word."""
    if precision not in ("highest", "high", "medium"):
        raise ArgumentError(f"set_float32_matmul_precision: {precision!r} is none of 'highest', 'high', 'medium'")


def get_float32_matmul_precision():
    """"highest": products of float32 are computed in float32."""
    return "highest"


def typename(obj):
    """The full name of an object's type; for a tensor cltensor and its dtype."""
    if isinstance(obj, Tensor):
        return obj.type()
    cls = obj if isinstance(obj, type) else type(obj)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _array_namespace(self, *, api_version=None):
    """The module of the Python array API standard: cltensor.array_api."""
    if api_version not in (None, "2022.12", "2023.12", "2024.12"):
        raise ArgumentError(f"__array_namespace__: version {api_version!r} of the array API standard is not supported")
    return _importlib.import_module(".array_api", __name__)


Tensor.__array_namespace__ = _array_namespace

_MODULES = ("array_api", "fft", "func", "io", "nn", "optim", "signal", "utils")
#: name -> the module of the public function of that name, where it is not in the tensor layer
_HOMES = {name: module for module, names in {
    "io": "load save",
    "func": "vmap",
    "signal.periods": "bartlett_window blackman_window hamming_window hann_window kaiser_window",
    "nn.functional": "adaptive_avg_pool1d alpha_dropout avg_pool1d bilinear celu channel_shuffle conv1d conv2d conv3d "
                     "conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity feature_alpha_dropout group_norm "
                     "layer_norm max_pool1d max_pool2d max_pool3d pairwise_distance pdist pixel_shuffle "
                     "pixel_unshuffle rms_norm rrelu selu threshold threshold_",
}.items() for name in names.split()}


def __getattr__(name):
    """The modules and functions that are imported by their first use, which keeps `import cltensor` quick."""
    if name in _MODULES:
        return _importlib.import_module(f".{name}", __name__)
    if name in _HOMES:
        return getattr(_importlib.import_module(f".{_HOMES[name]}", __name__), name)
    _absent.refuse("cltensor", name, _absent.REASONS)
    raise AttributeError(f"module 'cltensor' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_MODULES, *_HOMES})
