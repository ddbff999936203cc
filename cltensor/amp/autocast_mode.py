"""autocast: a region in which each op runs in the precision that suits it; and PyTorch's functions for its settings.

There are two kinds of regions: "cpu", which follows PyTorch's lists for CPUs, and "gpu", which follows those for CUDA.  Every
device here is an OpenCL one, so either holds for all tensors.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from ..base import dtypes
from ..base.context import context
from ..base.dtypes import dtype as DType
from ..base.errors import ArgumentError, CLTensorError
from ..dispatch.autocast import Autocast

__all__ = ["autocast", "autocast_decrement_nesting", "autocast_increment_nesting", "clear_autocast_cache",
           "get_autocast_cpu_dtype", "get_autocast_dtype", "get_autocast_gpu_dtype", "is_autocast_available",
           "is_autocast_cache_enabled", "is_autocast_cpu_enabled", "is_autocast_enabled", "set_autocast_cache_enabled",
           "set_autocast_cpu_dtype", "set_autocast_cpu_enabled", "set_autocast_dtype", "set_autocast_enabled",
           "set_autocast_gpu_dtype"]

_KINDS = {"cpu": "cpu", **dict.fromkeys(("cuda", "gpu", "opencl", "xpu", "hip", "mps", "privateuseone"), "gpu")}
_DEFAULT = {"cpu": dtypes.bfloat16, "gpu": dtypes.float16}
_LOW = (dtypes.bfloat16, dtypes.float16)


def _kind(device_type):
    if not isinstance(device_type, str):
        raise ArgumentError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    kind = _KINDS.get(device_type.partition(":")[0])
    if kind is None:
        raise CLTensorError(f"autocast: Expected one of {', '.join(_KINDS)} as device type, got {device_type!r}; 'cpu' follows "
                            "PyTorch's rules for CPUs, the others those for CUDA")
    return kind


def _setting(kind):
    """(whether autocast of a kind is on, its dtype)."""
    return context.autocasts.get(kind, (False, _DEFAULT[kind]))


def _apply(kind, enabled, dtype):
    """Store a kind's setting, and make it hold: the kind set last goes first, the other one holds where it is off."""
    context.autocasts[kind] = enabled, dtype
    other = "cpu" if kind == "gpu" else "gpu"
    on = next(((k, d) for k in (kind, other) for e, d in [_setting(k)] if e), None)
    context.autocast = None if on is None else Autocast(*on, context.autocast_cache, context.autocast_casts)
    context.arrange()


class autocast:
    """Ops in the region run in the precision that suits them: `with autocast("gpu"):`, or as a decorator.

    Products, convolutions, recurrent layers and attention take their tensors in `dtype`; what loses by 16 bits (losses, and in a
    "gpu" region exponentials, powers, sums, norms and softmax) in float32; concatenations in the widest dtype given.  Only tensors
    of float32, float16 and bfloat16 are cast, of any shape; in-place forms and out= stay as they are.  Casts of parameters are kept
    until the outermost region ends or the parameter is written to.  Gradients have the dtypes of the forward pass: call backward
    inside or outside.

    device_type: "cpu" for PyTorch's lists for CPUs; "cuda", "gpu" or "opencl" for those for CUDA; each holds for every device.
    dtype: float16 or bfloat16; by default bfloat16 for "cpu" and float16 for the others.  enabled: False to leave autocast for a
    while.  cache_enabled: whether casts of parameters are kept.

    Raises ArgumentError for a device_type that is no str, CLTensorError for an unknown one; warns of another dtype, and is off.
    Source: Micikevicius et al. 2018; the lists are PyTorch 2.13's.

        with autocast("gpu", dtype=cltensor.bfloat16):
            loss = loss_fn(model(x), y)
        loss.backward()
    """

    def __init__(self, device_type: str, dtype: DType | None = None, enabled: bool = True, cache_enabled: bool | None = None):
        self.kind, self.device = _kind(device_type), device_type
        self.fast_dtype = _setting(self.kind)[1] if dtype is None else dtypes.as_dtype(dtype)
        self.enabled = enabled
        self.cache_enabled = cache_enabled
        if enabled and self.fast_dtype not in _LOW:
            name = "CPU" if self.kind == "cpu" else "GPU"
            warnings.warn(f"In {name} autocast, but the target dtype is not supported. Disabling autocast.\n{name} Autocast only "
                          "supports dtypes of bfloat16, float16 currently.", UserWarning, stacklevel=2)
            self.enabled = False
        self._before = []

    def __enter__(self):
        self._before.append((dict(context.autocasts), context.autocast, context.autocast_cache))
        if self.cache_enabled is not None:
            context.autocast_cache = self.cache_enabled
        autocast_increment_nesting()
        _apply(self.kind, self.enabled, self.fast_dtype)
        return self

    def __exit__(self, *exc: object):
        context.autocasts, context.autocast, context.autocast_cache = self._before.pop()
        context.arrange()
        if autocast_decrement_nesting() == 0:
            clear_autocast_cache()

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """func with this region around each call."""

        @functools.wraps(func)
        def inside(*args, **kwargs):
            with self:
                return func(*args, **kwargs)

        return inside


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast takes this device_type: True for those it knows.

    Takes and changes no tensor, of any shape or dtype.  Raises CLTensorError for an unknown one, as autocast does.
    Source: the interface is PyTorch 2.13's.

        is_autocast_available("gpu")
    """
    return _kind(device_type) in _DEFAULT


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether ops called now pass through autocast of this kind ("gpu" by default).

    Takes no tensor, of any shape or dtype.  Raises CLTensorError for an unknown device_type.
    Source: the interface is PyTorch 2.13's.

        with autocast("cpu"):
            assert is_autocast_enabled("cpu")
    """
    return _setting("gpu" if device_type is None else _kind(device_type))[0]


def set_autocast_enabled(device_type: str | bool, enabled: bool | None = None):
    """Turn autocast of a kind on or off in this thread; prefer `with autocast(...)`.  set_autocast_enabled(True) means "gpu".

    Takes no tensor, of any shape or dtype.  Raises CLTensorError for an unknown device_type.
    Source: the interface is PyTorch 2.13's.

        set_autocast_enabled("cpu", False)
    """
    kind, enabled = ("gpu", device_type) if isinstance(device_type, bool) else (_kind(device_type), enabled)
    _apply(kind, bool(enabled), _setting(kind)[1])


def get_autocast_dtype(device_type: str) -> DType:
    """The dtype that autocast of a kind uses where none is given, or the one of the region around.

    Takes no tensor, of any shape.  Raises CLTensorError for an unknown device_type.
    Source: the interface is PyTorch 2.13's.

        get_autocast_dtype("gpu")
    """
    return _setting(_kind(device_type))[1]


def set_autocast_dtype(device_type: str, dtype: DType):
    """Change the dtype that autocast of a kind uses where none is given.

    Takes no tensor, of any shape.  Raises CLTensorError for an unknown device_type.
    Source: the interface is PyTorch 2.13's.

        set_autocast_dtype("gpu", cltensor.bfloat16)
    """
    kind = _kind(device_type)
    _apply(kind, _setting(kind)[0], dtypes.as_dtype(dtype))


def is_autocast_cpu_enabled() -> bool:
    """is_autocast_enabled("cpu").

    Takes no tensor, of any shape or dtype.  Never raises.  Source: the interface is PyTorch 2.13's.

        is_autocast_cpu_enabled()
    """
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool):
    """set_autocast_enabled("cpu", enabled).

    Takes no tensor, of any shape or dtype.  Never raises.  Source: the interface is PyTorch 2.13's.

        set_autocast_cpu_enabled(False)
    """
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> DType:
    """get_autocast_dtype("cpu").

    Takes no tensor, of any shape.  Never raises.  Source: the interface is PyTorch 2.13's.

        get_autocast_cpu_dtype()
    """
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: DType):
    """set_autocast_dtype("cpu", dtype).

    Takes no tensor, of any shape.  Never raises.  Source: the interface is PyTorch 2.13's.

        set_autocast_cpu_dtype(cltensor.bfloat16)
    """
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> DType:
    """get_autocast_dtype("gpu").

    Takes no tensor, of any shape.  Never raises.  Source: the interface is PyTorch 2.13's.

        get_autocast_gpu_dtype()
    """
    return get_autocast_dtype("gpu")


def set_autocast_gpu_dtype(dtype: DType):
    """set_autocast_dtype("gpu", dtype).

    Takes no tensor, of any shape.  Never raises.  Source: the interface is PyTorch 2.13's.

        set_autocast_gpu_dtype(cltensor.float16)
    """
    set_autocast_dtype("gpu", dtype)


def is_autocast_cache_enabled() -> bool:
    """Whether autocast keeps its casts of parameters.

    Takes no tensor, of any shape or dtype.  Never raises.  Source: the interface is PyTorch 2.13's.

        is_autocast_cache_enabled()
    """
    return context.autocast_cache


def set_autocast_cache_enabled(enabled: bool):
    """Choose whether autocast keeps its casts of parameters, in this thread, from the next region on.

    Takes no tensor, of any shape or dtype.  Never raises.  Source: the interface is PyTorch 2.13's.

        set_autocast_cache_enabled(True)
    """
    context.autocast_cache = bool(enabled)


def clear_autocast_cache():
    """Forget the casts that autocast keeps.

    Changes no tensor, of any shape or dtype.  Never raises.  Source: the interface is PyTorch 2.13's.

        clear_autocast_cache()
    """
    context.autocast_casts.clear()


def autocast_increment_nesting() -> int:
    """Count a region more; return their number.

    Changes no tensor, of any shape or dtype.  Never raises.  Source: the interface is PyTorch 2.13's.

        autocast_increment_nesting(), autocast_decrement_nesting()
    """
    context.autocast_depth += 1
    return context.autocast_depth


def autocast_decrement_nesting() -> int:
    """Count a region less; return their number.

    Changes no tensor, of any shape or dtype.  Never raises.  Source: the interface is PyTorch 2.13's.

        autocast_increment_nesting(), autocast_decrement_nesting()
    """
    context.autocast_depth -= 1
    return context.autocast_depth


def __dir__():
    return sorted(__all__)
