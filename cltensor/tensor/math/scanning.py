"""Cumulative functions with PyTorch's arguments."""


from ...base import dtypes
from ...base.shapes import normalize_dim
from ...dispatch.run_planned import run_planned
from ...ops.kinds.precision import in_float32
from ...ops.reduce import scan_ops
from ..core.public_api import function
from ..core.results import result
from .arithmetic import convert

CumMax = result("cummax", "values indices")
CumMin = result("cummin", "values indices")


def _run(op, x, dim, name):
    return run_planned(op, (x.contiguous(),), (normalize_dim(dim, x._spec.ndim, name),))


def _accumulated(op, x, dim, dtype, name):
    if dtype is not None:
        x = convert(x, dtypes.as_dtype(dtype))
    elif not x.dtype.is_inexact:
        x = convert(x, dtypes.int64)
    return _run(op, x, dim, name)


@function(inplace="writing")
def cumsum(input, dim, *, dtype=None):
    """Running sum along dim; integers add up in int64."""
    return _accumulated(scan_ops.cumsum, input, dim, dtype, "cumsum")


@function(inplace="writing")
def cumprod(input, dim, *, dtype=None):
    """Running product along dim; integers multiply in int64."""
    return _accumulated(scan_ops.cumprod, input, dim, dtype, "cumprod")


@function()
@in_float32
def logcumsumexp(input, dim):
    """Running log of summed exponentials along dim."""
    return _run(scan_ops.logcumsumexp, input, dim, "logcumsumexp")


@function()
def cummax(input, dim) -> CumMax:
    """(values, indices): running maximum along dim and where it was last attained."""
    return CumMax(*_run(scan_ops.cummax, input, dim, "cummax"))


@function()
def cummin(input, dim) -> CumMin:
    """(values, indices): running minimum along dim and where it was last attained."""
    return CumMin(*_run(scan_ops.cummin, input, dim, "cummin"))
