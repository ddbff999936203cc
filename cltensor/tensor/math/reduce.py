"""Reductions with PyTorch's arguments."""

import math

from ...base import dtypes
from ...base.errors import DimensionError, DTypeError
from ...base.shapes import normalize_dim, normalize_dims
from ...dispatch.run_elementwise import run_elementwise
from ...dispatch.run_planned import run_planned
from ...ops.kinds.precision import in_float32
from ...ops.pointwise import elementary
from ...ops.reduce import reduction_ops
from ..core.public_api import function
from .arithmetic import convert


def _run(op, x, dim, keepdim, *more):
    return run_planned(op, (x, *more), (normalize_dims(dim, x._spec.ndim, op.name.removesuffix("_reduce")), bool(keepdim)))


def _cast(x, dtype):
    return x if dtype is None else convert(x, dtypes.as_dtype(dtype))


def _wide(input, dtype):
    """The dtype to add up in: dtype, or int64 for the unsigned ints that no reduction is defined for."""
    return dtypes.int64 if dtype is None and input.dtype in dtypes.UNSIGNED else dtype


@function()
def sum_(input, dim=None, keepdim=False, *, dtype=None):
    """Sum of all elements, or over dim; integers add up in int64."""
    return _cast(_run(reduction_ops.sum_, _cast(input, _wide(input, dtype)), dim, keepdim), dtype)


@function()
def mean(input, dim=None, keepdim=False, *, dtype=None):
    """Mean of all elements, or over dim.  Raises DTypeError for integers unless a floating dtype is given."""
    input = _cast(input, dtype)
    if not input.dtype.is_inexact:
        raise DTypeError(f"mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
                         f"Got: {input.dtype.name}; use .float().mean()")
    return _run(reduction_ops.mean, input, dim, keepdim)


@function()
def any_(input, dim=None, keepdim=False):
    """Whether any element is non-zero, as bool; as uint8 for uint8, which held truth values before bool existed."""
    return _truth(_run(reduction_ops.any_, input, dim, keepdim), input)


@function()
def all_(input, dim=None, keepdim=False):
    """Whether every element is non-zero, as bool; as uint8 for uint8, which held truth values before bool existed."""
    return _truth(_run(reduction_ops.all_, input, dim, keepdim), input)


def _truth(result, input):
    return convert(result, dtypes.uint8) if input.dtype is dtypes.uint8 else result


@function()
def prod(input, dim=None, keepdim=False, *, dtype=None):
    """Product of all elements, or over dim."""
    return _cast(_run(reduction_ops.prod, _cast(input, _wide(input, dtype)), dim, keepdim), dtype)


@function()
def amax(input, dim=(), keepdim=False):
    """Largest value over dim; ties share the gradient equally."""
    return _run(reduction_ops.amax, input, dim, keepdim)


@function()
def amin(input, dim=(), keepdim=False):
    """Smallest value over dim; ties share the gradient equally."""
    return _run(reduction_ops.amin, input, dim, keepdim)


def _arg(op, x, dim, keepdim):
    if dim is None:
        if x._spec.numel == 0:
            name = op.name.removesuffix("_reduce")
            raise DimensionError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        flat = run_planned(op, (x.reshape(-1),), ((0,), False))
        return flat.reshape((1,) * x.ndim) if keepdim else flat
    d = normalize_dim(dim, x._spec.ndim, op.name.removesuffix("_reduce"))
    if not x._spec.ndim:
        return run_planned(op, (x.reshape(1),), ((0,), False))
    return run_planned(op, (x,), ((d,), bool(keepdim)))


@function()
def argmax(input, dim=None, keepdim=False):
    """Index of the largest value (of the flattened tensor, or over dim), the first where there are several."""
    return _arg(reduction_ops.argmax, input, dim, keepdim)


@function()
def argmin(input, dim=None, keepdim=False):
    """Index of the smallest value (of the flattened tensor, or over dim), the first where there are several."""
    return _arg(reduction_ops.argmin, input, dim, keepdim)


@function()
def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """Variance over dim, with the sum of squares divided by n - correction (1 unless given)."""
    return _moments(input, dim, unbiased, keepdim, correction)[0]


@function()
def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """Standard deviation: the square root of var; its gradient is 0 where it is 0."""
    return _deviation(input, dim, unbiased, keepdim, correction)[0]


@function(out=False)
def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None) -> tuple:
    """(variance, mean) over dim."""
    return _moments(input, dim, unbiased, keepdim, correction)


@function(out=False)
def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None) -> tuple:
    """(standard deviation, mean) over dim."""
    return _deviation(input, dim, unbiased, keepdim, correction)


@in_float32
def _deviation(input, dim, unbiased, keepdim, correction):
    variance, mean_ = _moments(input, dim, unbiased, keepdim, correction)
    return run_elementwise(elementary.norm_sqrt, (variance,)), mean_


@in_float32
def _moments(input, dim, unbiased, keepdim, correction):
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if not input.dtype.is_inexact:
        raise DTypeError(f"var: only support floating point and complex dtypes, got {input.dtype.name}; use .float()")
    correction = (1 if unbiased is None else int(unbiased)) if correction is None else correction
    dims = normalize_dims(dim, input.ndim, "var")
    count = math.prod(input.shape[d] for d in dims)
    center = _run(reduction_ops.mean, input, dims, True)
    total = run_planned(reduction_ops.sum_squares, (input, center.expand(input.shape)), (dims, bool(keepdim)))
    scale = 1.0 / (count - correction) if count > correction else math.inf
    mean_ = center if keepdim else center.reshape(total.shape)
    return total * scale, mean_
