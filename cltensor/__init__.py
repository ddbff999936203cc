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
from .base.accepted import (
    are_deterministic_algorithms_enabled,
    get_deterministic_debug_mode,
    get_float32_matmul_precision,
    get_num_interop_threads,
    is_deterministic_algorithms_warn_only_enabled,
    is_warn_always_enabled,
    set_deterministic_debug_mode,
    set_float32_matmul_precision,
    set_flush_denormal,
    set_num_interop_threads,
    set_num_threads,
    set_warn_always,
    use_deterministic_algorithms,
)
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
    DivisionError,
    DTypeError,
    MismatchError,
    MissingError,
    OutOfMemoryError,
    PickleError,
    SerializationError,
    ShapeError,
)
from .base.layouts import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    layout,
    memory_format,
    preserve_format,
    sparse_coo,
    sparse_csr,
    strided,
)
from .base.shapes import Size
from .base.symbolic import sym_float, sym_int, sym_ite, sym_max, sym_min, sym_not, sym_sqrt, sym_sum
from .dispatch.tensor_base import SparseBase as _SparseBase
from .runtime.device import default_device as get_default_device
from .runtime.device import device, set_default_device
from .tensor import Generator, Storage, Tensor, default_generator
from .tensor import namespace as _namespace
from .tensor.api.typed_storage import TypedStorage as _TypedStorage
from .tensor.core.formatting import set_printoptions
from .tensor.math.arithmetic import legacy_dtype as _legacy_dtype
from .version import __version__

newaxis = None
globals().update(_dtypes.BY_NAME)
globals().update(_dtypes.ALIASES)
globals().update(_namespace())


def broadcast_shapes(*shapes):
    """The shape to which tensors of these shapes broadcast.  Raises ShapeError if they do not."""
    return Size(_shapes.broadcast_shapes(*((s,) if hasattr(s, "__index__") else tuple(s) for s in shapes)))


def set_default_tensor_type(t):
    """Make the dtype of a class such as FloatTensor, or of its name, the default; prefer set_default_dtype."""
    set_default_dtype(_legacy_dtype(t))


def get_num_threads():
    """The number of compute units of the default device; its driver decides how many threads run at a time."""
    return get_default_device().profile.compute_units


def is_storage(obj):
    """Whether obj is a tensor's storage."""
    return isinstance(obj, (Storage, _TypedStorage))


def is_tensor(obj):
    """Whether obj is a Tensor, or a sparse one."""
    return isinstance(obj, (Tensor, _SparseBase))


def typename(obj):
    """The full name of an object's type; for a tensor cltensor and its dtype."""
    if isinstance(obj, Tensor):
        return obj.type()
    cls = obj if isinstance(obj, type) else type(obj)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


_MODULES = ("_dynamo", "_higher_order_ops", "amp", "array_api", "compiler", "distributions", "export", "fft", "func", "graph",
            "hub", "io", "multiprocessing", "nn", "onnx", "optim", "overrides", "profiler", "quantize", "random", "return_types",
            "serialization", "signal", "sparse", "testing", "train", "utils", "vision")
#: name -> the module of a public function outside the tensor layer
_HOMES = {name: module for module, names in {
    "io": "load save",
    "compiler": "compile mark_dynamic",
    "control_flow": "associative_scan cond map scan while_loop",
    "amp.autocast_mode": "autocast autocast_decrement_nesting autocast_increment_nesting clear_autocast_cache "
                         "get_autocast_cpu_dtype get_autocast_dtype get_autocast_gpu_dtype is_autocast_cache_enabled "
                         "is_autocast_cpu_enabled is_autocast_enabled set_autocast_cache_enabled set_autocast_cpu_dtype "
                         "set_autocast_cpu_enabled set_autocast_dtype set_autocast_enabled set_autocast_gpu_dtype",
    "func": "vmap",
    "utils.dlpack": "to_dlpack",
    "runtime.stream": "Event Stream",
    "tensor.api.typed_storage": "TypedStorage BFloat16Storage BoolStorage ByteStorage CharStorage DoubleStorage FloatStorage "
                                "HalfStorage IntStorage LongStorage ShortStorage UntypedStorage",
    "signal.periods": "bartlett_window blackman_window hamming_window hann_window kaiser_window",
    "nn.aten": "adaptive_max_pool1d affine_grid_generator alpha_dropout alpha_dropout_ batch_norm "
               "binary_cross_entropy_with_logits celu conv_tbc convolution cosine_embedding_loss ctc_loss dropout_ embedding "
               "embedding_bag embedding_renorm_ feature_alpha_dropout feature_alpha_dropout_ feature_dropout feature_dropout_ "
               "grid_sampler grid_sampler_2d grid_sampler_3d group_norm gru gru_cell hinge_embedding_loss instance_norm kl_div "
               "layer_norm lstm lstm_cell margin_ranking_loss max_pool1d max_pool1d_with_indices max_pool2d max_pool3d "
               "native_batch_norm native_channel_shuffle native_dropout native_group_norm native_layer_norm poisson_nll_loss "
               "rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell rrelu rrelu_ segment_reduce selu threshold triplet_margin_loss",
    "nn.functional": "adaptive_avg_pool1d avg_pool1d bilinear celu_ channel_shuffle conv1d conv2d conv3d conv_transpose1d "
                     "conv_transpose2d conv_transpose3d cosine_similarity pairwise_distance pdist pixel_shuffle pixel_unshuffle "
                     "rms_norm selu_ threshold_",
}.items() for name in names.split()}


def __getattr__(name):
    """Import modules and functions on first use, which keeps `import cltensor` fast."""
    if name in _MODULES:
        return _importlib.import_module(f".{name}", __name__)
    if name in _HOMES:
        return getattr(_importlib.import_module(f".{_HOMES[name]}", __name__), name)
    _absent.refuse("cltensor", name, _absent.REASONS)
    raise AttributeError(f"module 'cltensor' has no attribute {name!r}")


#: functions, classes, dtypes and constants, and the modules that users import from; not the parts that the package is made of
__all__ = sorted({"autograd", "linalg", "opencl", "special", *_HOMES, *(n for n in _MODULES if not n.startswith("_")),  # noqa: PLE0605
                  *(n for n, v in globals().items() if not n.startswith("_") and not isinstance(v, type(_importlib)))})


def __dir__():
    return __all__
