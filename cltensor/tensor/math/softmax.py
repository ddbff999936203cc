"""Softmax and log-softmax with PyTorch's arguments."""

from ...base import dtypes
from ...base.shapes import normalize_dim
from ...dispatch.run_planned import run_planned
from ...ops.nn import softmax as ops
from ..core.public_api import function
from .arithmetic import convert


def _run(op, x, dim, dtype, name):
    x = x if dtype is None else convert(x, dtypes.as_dtype(dtype))
    return run_planned(op, (x.contiguous(),), (normalize_dim(dim, x._spec.ndim, name),))


@function()
def softmax(input, dim, dtype=None):
    """exp(input) normalised to sum 1 over dim; the largest value is subtracted first, so nothing overflows."""
    return _run(ops.softmax, input, dim, dtype, "softmax")


@function()
def log_softmax(input, dim, dtype=None):
    """The logarithm of softmax over dim, computed without forming softmax."""
    return _run(ops.log_softmax, input, dim, dtype, "log_softmax")
