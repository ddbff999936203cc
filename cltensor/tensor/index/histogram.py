"""Counts of values: of integers, in equal bins, between given edges, in one or many dimensions."""

import math

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError, UnsupportedDTypeError
from ...dispatch.tensor_base import TensorBase
from ...ops.kinds.precision import in_float32
from ..api.creation import linspace
from ..core.public_api import function
from ..core.results import result
from .searching import searchsorted

Histogram = result("histogram", "hist bin_edges")
HistogramDD = result("histogramdd", "hist bin_edges")


def _edges(x, bins, limits, d):
    """The edges of one dimension's bins: the given ones, or equally spaced between limits (the data's, if None)."""
    if isinstance(bins, TensorBase):
        if bins.ndim != 1 or not bins.numel():
            raise ShapeError(f"histogramdd: bins tensor should have one dimension and at least 1 element, but dimension {d} got "
                             f"{list(bins.shape)}")
        if bins.dtype is not x.dtype:
            raise DTypeError(f"histogramdd: input tensor and bins tensors should have the same dtype, but got {x.dtype.name} and "
                             f"{bins.dtype.name} for dimension {d}")
        return bins
    if bins <= 0:
        raise ArgumentError(f"histogram(): bins must be > 0, but got {bins} for dimension {d}")
    low, high = limits if limits is not None else (float(x.amin()), float(x.amax())) if x.numel() else (0.0, 1.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ArgumentError(f"histogramdd: dimension {d}'s range [{low}, {high}] is not finite")
    if low > high:
        raise ArgumentError(f"histogramdd: min should not exceed max, but got min {low} max {high} for dimension {d}")
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    return linspace(low, high, bins + 1, dtype=x.dtype, device=x.device)


@function(out=False)
def histogramdd(input, bins, range=None, weight=None, density=False) -> HistogramDD:
    """(hist, edges) of points in the last dimension of input; bins: a count for all, one each, or tensors of edges.

    The last bin includes its upper edge; points outside do not count.  density: divide by their sum and the bins' volumes.
    """
    if not input.dtype.is_floating_point:
        raise DTypeError(f"histogramdd: not implemented for {input.dtype.name}; use .float()")
    if input.ndim < 2:
        raise ShapeError(f"histogramdd: input tensor should have at least 2 dimensions, but got {input.ndim}")
    n = input.shape[-1]
    bins = [bins] * n if hasattr(bins, "__index__") and not isinstance(bins, TensorBase) else list(bins)
    if len(bins) != n:
        raise ShapeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    if range is not None and len(range) != 2 * n:
        raise ArgumentError(f"histogramdd: for a {n}-dimensional histogram range should have {2 * n} elements, but got "
                            f"{len(range)}")
    if weight is not None and (tuple(weight.shape) != tuple(input.shape[:-1]) or weight.dtype is not input.dtype):
        raise ShapeError("histogramdd: if weight tensor is provided it should have the same dtype and shape as the input tensor "
                         f"excluding its innermost dimension, got {weight.dtype.name} {list(weight.shape)} for {list(input.shape)}")
    points = input.detach().reshape(-1, n)
    limits = [None] * n if range is None else list(zip(range[::2], range[1::2], strict=True))
    columns = points.unbind(-1)
    edges = [_edges(x, b, r, d) for d, (x, b, r) in enumerate(zip(columns, bins, limits, strict=True))]
    place, inside = None, None
    for x, e in zip(columns, edges, strict=True):
        count = e.shape[0] - 1
        at = (searchsorted(e.contiguous(), x.contiguous(), right=True) - 1).where(x != e[-1], count - 1)
        within = (x >= e[0]) & (x <= e[-1])
        place = at if place is None else place * count + at
        inside = within if inside is None else inside & within
    values = points.new_ones(points.shape[:1]) if weight is None else weight.detach().reshape(-1)
    shape = [e.shape[0] - 1 for e in edges]
    hist = points.new_zeros(math.prod(shape))
    if hist.numel():
        hist = hist.index_add(0, place.where(inside, 0), values.where(inside, 0)).reshape(shape)
    else:
        hist = hist.reshape(shape)
    return HistogramDD(_density(hist, edges) if density else hist, tuple(edges))


def _density(hist, edges):
    hist = hist / hist.sum()
    for d, e in enumerate(edges):
        hist = hist / (e[1:] - e[:-1]).reshape(-1, *(1,) * (len(edges) - 1 - d))
    return hist


@function()
def histogram(input, bins=100, *, range=None, weight=None, density=False) -> Histogram:
    """(hist, bin_edges) of all elements, in `bins` equal bins or between given edges; see histogramdd."""
    flat = input.reshape(-1, 1)
    hist, edges = histogramdd(flat, [bins], range=range, weight=None if weight is None else weight.reshape(-1), density=density)
    return Histogram(hist, edges[0].clone() if edges[0] is bins else edges[0])


@function(out=False)
def bincount(input, weights=None, minlength=0):
    """How often each of 0, 1, ... occurs in a vector of non-negative integers, or the sum of its weights."""
    if input.ndim != 1 or input.dtype.category != "int":
        raise UnsupportedDTypeError(f"bincount only supports 1-d non-negative integral inputs, got {input.dtype.name} "
                                    f"{list(input.shape)}")
    if minlength < 0:
        raise ArgumentError(f"bincount: minlength should be >= 0, got {minlength}")
    if weights is not None and tuple(weights.shape) != tuple(input.shape):
        raise ShapeError(f"bincount: weights should be 1-d and have the same length as input, got {list(weights.shape)} and "
                         f"{list(input.shape)}")
    if not input.numel():
        return input.new_zeros(minlength, dtype=dtypes.int64)
    if int(input.amin()) < 0:
        raise ArgumentError("bincount only supports 1-d non-negative integral inputs: a value is negative")
    size = max(minlength, int(input.amax()) + 1)
    if weights is None:
        weights = input.new_ones(input.shape, dtype=dtypes.int64)
    elif weights.dtype not in (dtypes.float32, dtypes.float64):
        weights = weights.double()
    return weights.new_zeros(size).index_add(0, input.long(), weights)


@function()
def histc(input, bins=100, min=0, max=0):
    """Counts of the elements in `bins` equal intervals from min to max (of the data, where both are equal)."""
    if not input.dtype.is_floating_point:
        raise UnsupportedDTypeError(f"histc: not implemented for {input.dtype.name}; use .float()")
    if bins <= 0:
        raise ArgumentError(f"histc(): bins must be > 0, got {bins}")
    x = input.detach().reshape(-1)
    if min == max and x.numel():
        min, max = float(x.amin()), float(x.amax())
    if min == max:
        min, max = min - 1, max + 1
    if not (math.isfinite(min) and math.isfinite(max)):
        raise ArgumentError(f"histc(): range of [{min}, {max}] is not finite")
    if min > max:
        raise ArgumentError(f"histc(): max must be larger than min, got min {min}, max {max}")
    return _counted(x, bins, min, max)


@in_float32
def _counted(x, bins, min, max):
    inside = (x >= min) & (x <= max)
    places = ((x - min) * (bins / (max - min))).floor().clamp(0, bins - 1).long()
    return x.new_zeros(bins).index_add(0, places.where(inside, places * 0), inside.to(x.dtype))

