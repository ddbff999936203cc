"""Reductions over consecutive segments."""

import math

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...tensor.api.creation import arange
from ...tensor.index.searching import searchsorted
from ...tensor.math.arithmetic import where

#: reduce -> (scatter_reduce's name for it, the result for an empty segment)
_REDUCTIONS = {"sum": ("sum", 0.0), "mean": ("sum", 0.0), "prod": ("prod", 1.0),
               **dict.fromkeys(("max", "amax"), ("amax", -math.inf)), **dict.fromkeys(("min", "amin"), ("amin", math.inf))}


def segment_reduce(data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None):
    """The sum, mean, prod, max or min of each segment of data along axis; each starts from `initial` if given.

    Args: lengths (*, segments), integers, whose dimensions before the last are those of data before axis; or offsets (*, segments
    + 1), the starts of all segments and the last one's end.  unsafe: skip the check that lengths add up, which awaits the device.
    Returns data's shape with the segments along axis; an empty segment gives the reduction's neutral element, NaN for the mean.
    Raises ArgumentError, ShapeError, DTypeError for integer data.
    """
    if reduce not in _REDUCTIONS:
        raise ArgumentError(f"segment_reduce: reduce argument must be either sum, prod, mean, max or min, got {reduce!r}")
    if not data.dtype.is_floating_point:
        raise DTypeError(f"segment_reduce: not defined for {data.dtype.name}; use .float()")
    ends = _ends(data, lengths, offsets, axis, unsafe)
    how, neutral = _REDUCTIONS[reduce]
    n, segments = data.shape[axis], ends.shape[-1]
    shape = (*ends.shape, *data.shape[axis + 1 :])
    wide = data.float() if data.dtype.itemsize == 2 else data
    start = wide.new_full((*shape[:axis], segments + 1, *shape[axis + 1 :]), neutral if initial is None else float(initial))
    place = searchsorted(ends, arange(n, device=data.device).expand(*ends.shape[:-1], n).contiguous(), right=True)
    place = place.reshape(*place.shape, *(1,) * (data.ndim - axis - 1)).expand(data.shape)
    y = start.scatter_reduce(axis, place, wide, how, include_self=True).narrow(axis, 0, segments)
    if reduce == "mean":
        counts = ends.diff(dim=-1, prepend=ends.new_zeros((*ends.shape[:-1], 1)))
        counts = counts.reshape(*ends.shape, *(1,) * (data.ndim - axis - 1))
        y = y / counts if initial is None else where(counts == 0, y, y / counts.clamp_min(1))
    return y.to(data.dtype).contiguous()


def _ends(data, lengths, offsets, axis, unsafe):
    """Where each segment ends, as int64 (*, segments)."""
    if (lengths is None) == (offsets is None):
        raise ArgumentError("segment_reduce(): Either lengths or offsets must be defined, and not both")
    given = offsets if lengths is None else lengths
    if given.dtype not in (dtypes.int32, dtypes.int64):
        raise DTypeError(f"segment_reduce: lengths and offsets are int32 or int64, got {given.dtype.name}; use .long()")
    if axis != given.ndim - 1 or axis >= data.ndim or given.shape[:-1] != data.shape[:axis]:
        raise ShapeError(f"segment_reduce(): Expected axis to be the last dimension of lengths or offsets, after data's "
                         f"first ones, but got axis {axis}, {list(given.shape)} and data {list(data.shape)}")
    ends = lengths.long().cumsum(-1) if offsets is None else offsets.long().narrow(-1, 1, offsets.shape[-1] - 1)
    if not unsafe and lengths is not None and ends.numel() and not (
            bool((lengths >= 0).all()) and bool((ends[..., -1] == data.shape[axis]).all())):
        raise ArgumentError(f"segment_reduce(): Expected all rows of lengths along axis to sum to data.size({axis}) = "
                            f"{data.shape[axis]}, and none to be negative, when not unsafe")
    return ends.contiguous()
