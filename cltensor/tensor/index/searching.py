"""The places of values in sorted sequences."""

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...dispatch.promotion import result_type
from ...dispatch.run_planned import run_planned
from ...dispatch.tensor_base import TensorBase
from ...ops.reduce import sorting as ops
from ..core.public_api import function
from ..math.arithmetic import convert


@function(method=False)
def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None):
    """Where to insert input's values into the (innermost dimension of the) sorted sequence to keep it sorted."""
    if side is not None:
        if side not in ("left", "right"):
            raise ArgumentError(f"searchsorted(): side can only be 'left' or 'right' but got {side!r}")
        if right and side == "left":
            raise ArgumentError("searchsorted(): side and right can't be set to opposites, got side of left while right was True")
        right = side == "right"
    scalar = not isinstance(input, TensorBase)
    values = sorted_sequence.new_tensor(input, dtype=result_type([sorted_sequence._spec, type(input)])) if scalar else input
    if scalar and sorted_sequence.ndim != 1:
        raise ShapeError("searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1")
    if sorted_sequence.ndim != 1 and (not sorted_sequence.ndim or tuple(sorted_sequence.shape[:-1]) != tuple(values.shape[:-1])):
        raise ShapeError("searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor "
                         f"and input value tensor must match, but got boundaries tensor {list(sorted_sequence.shape)} and input "
                         f"value tensor {list(values.shape)}")
    dtype = dtypes.promote_types(sorted_sequence.dtype, values.dtype)  # 2.5 lies between the integers 2 and 3
    sorted_sequence, values = convert(sorted_sequence, dtype), convert(values, dtype)
    if sorter is not None:
        if tuple(sorter.shape) != tuple(sorted_sequence.shape):
            raise ShapeError(f"searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
                             f"{list(sorted_sequence.shape)} and sorter {list(sorter.shape)}")
        if sorter.dtype is not dtypes.int64:
            raise DTypeError(f"searchsorted(): sorter must be a tensor of long dtype but got dtype {sorter.dtype.name}")
        sorter = sorter.contiguous()
    return run_planned(ops.search_rows, (sorted_sequence.detach().contiguous(), values.detach().contiguous(), sorter),
                       (bool(right), bool(out_int32)))


@function()
def bucketize(input, boundaries, *, out_int32=False, right=False):
    """Which interval between boundaries contains each value."""
    if boundaries.ndim != 1:
        raise ShapeError(f"bucketize(): boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
