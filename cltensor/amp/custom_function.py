"""custom_fwd and custom_bwd: how a Function of a user's own behaves under autocast."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..base.dtypes import dtype as DType
from ..base.dtypes import float64
from ..tensor import Tensor
from .autocast_mode import autocast, get_autocast_dtype, is_autocast_enabled


def custom_fwd(fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: DType | None = None) -> Callable[..., Any]:
    """Decorate the forward of an autograd.Function for use under autocast.

    cast_inputs: None to run with autocast as it is; a dtype to run without, on inputs of any shape cast to it where their dtype is
    floating and not float64.  device_type: see autocast.

    Raises CLTensorError for an unknown device_type.  Source: the interface is PyTorch 2.13's.

        class Square(autograd.Function):
            @staticmethod
            @custom_fwd(device_type="gpu", cast_inputs=cltensor.float32)
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x
    """
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def forward(*args, **kwargs):
        ctx, on = args[0], is_autocast_enabled(device_type)
        ctx._dtype, ctx._fwd_used_autocast = get_autocast_dtype(device_type), on and cast_inputs is None
        if cast_inputs is None or not on:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, cast_inputs), **_cast(kwargs, cast_inputs))

    return forward


def _cast(value, dtype):
    """value with its floating tensors, also nested ones, cast; float64 ones stay."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() and value.dtype is not float64 else value
    if isinstance(value, dict):
        return {_cast(k, dtype): _cast(v, dtype) for k, v in value.items()}
    return type(value)(_cast(v, dtype) for v in value) if isinstance(value, (list, tuple)) else value


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """Decorate the backward of an autograd.Function whose forward has custom_fwd: it runs with the same autocast.

    Tensors of any shape and dtype pass as they are.  Raises CLTensorError for an unknown device_type.
    Source: the interface is PyTorch 2.13's.

        class Square(autograd.Function):
            @staticmethod
            @custom_bwd(device_type="gpu")
            def backward(ctx, g):
                return 2 * g * ctx.saved_tensors[0]
    """
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def backward(*args, **kwargs):
        ctx = args[0]
        with autocast(device_type, dtype=ctx._dtype, enabled=ctx._fwd_used_autocast):
            return bwd(*args, **kwargs)

    return backward
