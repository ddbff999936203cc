"""Normalise to mean 0 and variance 1, over the batch, a sample's channels, or groups of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...autograd.modes import no_grad
from ...base import dtypes
from ...base.context import context
from ...base.errors import ArgumentError, MismatchError, ShapeError
from ...dispatch.autocast import FLOAT32_ON_GPU
from ...ops.kinds.precision import in_float32, wide
from ...ops.nn import normalized as ops
from ...ops.nn.normalization import laid
from ...ops.nn.normalized import normalized, number
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from .pooling import avg_pool2d

# --- over the batch --------------------------------------------------------------------------------------------------

def batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
               bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5):
    """Normalise input (N, C, *) for each channel, times weight (C,) plus bias (C,).

    training: use the batch's mean and (biased) variance; the running ones, unless None, move towards its mean and
    unbiased variance by momentum.  Otherwise use the running statistics.
    Raises ArgumentError when training on one value per channel, ShapeError.
    """
    if input.ndim < 2 and not input.numel():
        return input.clone()
    if input.ndim < 2:
        raise ShapeError(f"batch_norm: expected input (N, C, *), got {input.ndim}D input of shape {list(input.shape)}")
    _check_channels("batch_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError("batch_norm: Expected running_mean and running_var to be defined when training=False")
        return _with_statistics(input, running_mean, running_var, weight, bias, eps)
    count = input.numel() // max(input.shape[1], 1)
    if not count:
        return _of_nothing(input, weight, bias)
    if count == 1:
        raise ArgumentError(f"Expected more than 1 value per channel when training, got input size {list(input.shape)}"
                            "; use a larger batch, or call eval()")
    y, mean, m2 = normalized(input, weight, bias, dims=(0, *range(2, input.ndim)), along=(1,), eps=eps)
    if running_mean is not None:
        with no_grad():
            ops.running(running_mean, running_var, mean.reshape(-1), m2.reshape(-1), momentum=momentum,
                     r=1.0 / (count - 1), out=(running_mean, running_var))
    return y


def _of_nothing(x, weight, bias):
    """The result for an empty x: also empty, yet still a function of weight and bias."""
    return ops.scaled(x, 0.0, *(number(laid(v, x, (1,)), absent) for v, absent in ((weight, 1.0), (bias, 0.0))))


def _check_channels(op, input, **vectors):
    for name, v in vectors.items():
        if v is not None and tuple(v.shape) != (input.shape[1],):
            raise ShapeError(f"{op}: {name} should contain {input.shape[1]} elements, one for each channel of input "
                             f"{list(input.shape)}, not have shape {list(v.shape)}")


def _with_statistics(x, mean, var, weight, bias, eps):
    """Normalise x by a given mean and variance (C,), as one scale and shift for each channel."""
    mean, var, weight, bias = map(wide, (mean, var, weight, bias))
    scale = (var + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    y = ops.scaled(x, *(laid(v, x, (1,)) for v in (mean, scale)), number(laid(bias, x, (1,)), 0.0))
    return y if y.dtype is x.dtype else y.to(x.dtype)


def instance_norm(input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
                  weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1,
                  eps: float = 1e-5):
    """Normalise input (N, C, *) for each sample and channel, times weight (C,) plus bias (C,).

    use_input_stats: use the input's own statistics, else the running ones.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    n, c = input.shape[:2]
    if math.prod(input.shape[2:]) <= 1:
        raise ArgumentError(f"instance_norm: Expected more than 1 spatial element when training, got input size "
                            f"{list(input.shape)}")
    _check_channels("instance_norm", input, running_mean=running_mean, running_var=running_var, weight=weight,
                    bias=bias)
    y, mean, m2 = normalized(input, weight, bias, dims=tuple(range(2, input.ndim)), along=(1,), eps=eps)
    if running_mean is not None:
        with no_grad():
            mean, m2 = (t.reshape(n, c).mean(0) for t in (mean, m2))
            ops.running(running_mean, running_var, mean, m2, momentum=momentum, r=1.0 / (math.prod(input.shape[2:]) - 1),
                     out=(running_mean, running_var))
    return y


# --- over a sample ---------------------------------------------------------------------------------------------------


def layer_norm(input: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None,
               eps: float = 1e-5):
    """Normalise input over its last dimensions, of sizes normalized_shape, times weight plus bias of that shape."""
    shape = tuple(normalized_shape)
    lead = input.ndim - len(shape)
    if not shape or lead < 0 or tuple(input.shape[lead:]) != shape:
        raise ShapeError(f"layer_norm: Given normalized_shape={list(shape)}, expected input with shape [*, "
                         f"{', '.join(map(str, shape))}], but got input of size{list(input.shape)}")
    for name, p in (("weight", weight), ("bias", bias)):
        if p is not None and tuple(p.shape) != shape:
            raise ShapeError(f"layer_norm: Expected {name} to be of same shape as normalized_shape, but got {name} of "
                             f"shape {list(p.shape)} and normalized_shape = {list(shape)}")
    dims = tuple(range(lead, input.ndim))
    if context.autocast is not None:
        input, weight, bias = FLOAT32_ON_GPU.arguments(input, weight, bias)
    return normalized(input, weight, bias, dims=dims, along=dims, eps=eps)[0]


def group_norm(input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5):
    """Normalise input (N, C, *) for each sample and group of channels, times weight (C,) plus bias (C,)."""
    if input.ndim < 2:
        raise ShapeError(f"group_norm: Expected at least 2 dimensions for input tensor but received {input.ndim}")
    n, c = input.shape[:2]
    if num_groups <= 0 or c % num_groups:
        raise ArgumentError(f"group_norm: Expected number of channels in input to be divisible by num_groups, but got "
                            f"input of shape {list(input.shape)} and num_groups={num_groups}")
    _check_channels("group_norm", input, weight=weight, bias=bias)
    if context.autocast is not None:
        input, weight, bias = FLOAT32_ON_GPU.arguments(input, weight, bias)
    grouped = input.reshape(n, num_groups, c // num_groups, *input.shape[2:])
    return normalized(grouped, weight, bias, dims=tuple(range(2, grouped.ndim)), along=(1, 2), eps=eps)[0].reshape(input.shape)


def rms_norm(input: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None, eps: float | None = None):
    """Divide input by the root mean square of its last dimensions, of sizes normalized_shape; multiply by weight.

    eps: added to the mean square; by default the smallest step of the compute dtype, float32 or float64.
    """
    shape = tuple(normalized_shape)
    lead = input.ndim - len(shape)
    if not shape or lead < 0 or tuple(input.shape[lead:]) != shape:
        raise ShapeError(f"rms_norm: Given normalized_shape={list(shape)}, expected input with shape [*, "
                         f"{', '.join(map(str, shape))}], but got input of size{list(input.shape)}")
    eps = dtypes.finfo(dtypes.float64 if input.dtype is dtypes.float64 else dtypes.float32).eps if eps is None else eps
    y = _by_mean_square(input, weight, tuple(range(lead, input.ndim)), eps)
    return y if y.dtype is input.dtype else y.to(input.dtype)


@in_float32
def _by_mean_square(x, weight, dims, eps):
    y = x * ((x * x).mean(dims, keepdim=True) + eps).rsqrt()
    return y if weight is None else y * weight


@in_float32
def local_response_norm(input: Tensor, size: int | Sequence[int], alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
    """input (N, C, *) divided by (k + alpha * mean over `size` neighbouring channels of input ** 2) ** beta."""
    if input.ndim < 3:
        raise MismatchError(f"local_response_norm: Expected 3D or higher dimensionality input (got {input.ndim}D)")
    if not input.numel():
        return input
    n, c = input.shape[:2]
    squares = (input * input).reshape(n, 1, c, math.prod(input.shape[2:]))
    ahead = squares.new_zeros((n, 1, size // 2, squares.shape[3]))
    behind = squares.new_zeros((n, 1, (size - 1) // 2, squares.shape[3]))
    padded = cat([ahead, squares, behind], 2)
    mean = avg_pool2d(padded, (size, 1), stride=1).reshape(input.shape)
    return input / (mean * alpha + k).pow(beta)
