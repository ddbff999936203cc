"""Sorting, order statistics, searching, masks and distinct values."""

import math
from collections import namedtuple

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, DimensionError, DTypeError, ShapeError, UnsupportedDTypeError
from ...base.shapes import normalize_dim
from ...dispatch.promotion import result_type
from ...dispatch.run_planned import run_planned
from ...dispatch.tensor_base import TensorBase
from ...ops.kinds.composite import composite
from ...ops.kinds.precision import in_float32
from ...ops.reduce import sorting as ops
from ...ops.reduce.reduction_ops import spread_ties
from ..api.creation import arange
from ..core.public_api import also, function, method
from ..math.arithmetic import convert
from ..shape.shape import broadcast_tensors, cat, stack

Sort = namedtuple("sort", ("values", "indices"))
TopK = namedtuple("topk", ("values", "indices"))
KthValue = namedtuple("kthvalue", ("values", "indices"))
Median = namedtuple("median", ("values", "indices"))
NanMedian = namedtuple("nanmedian", ("values", "indices"))
Mode = namedtuple("mode", ("values", "indices"))


def _sorted(x, dim, descending, name):
    """(values, indices) sorted along dim, with dim moved last; and dim's position."""
    d = normalize_dim(dim, x._spec.ndim, name)
    if not x._spec.ndim:
        return x.clone(), x.new_zeros((), dtype=dtypes.int64), 0
    values, indices = run_planned(ops.sort_rows, (x.movedim(d, -1).contiguous(),), (bool(descending),))
    return values, indices, d


def _back(x, d):
    return x.movedim(-1, d) if x.ndim > 1 else x


@function(contiguous=True)
def sort(input, dim=-1, descending=False, stable=False) -> Sort:
    """(values, indices): the elements of dim in order (always stable; NaN counts as largest)."""
    values, indices, d = _sorted(input, dim, descending, "sort")
    return Sort(_back(values, d), _back(indices, d))


@function()
def msort(input):
    """The values sorted along dimension 0."""
    return sort(input, 0).values


@function()
def argsort(input, dim=-1, descending=False, stable=False):
    """The indices that sort dim."""
    return sort(input, dim, descending).indices


@function(contiguous=True)
def topk(input, k, dim=-1, largest=True, sorted=True) -> TopK:
    """(values, indices): the k largest (or smallest) elements of dim, in order."""
    d = normalize_dim(dim, input.ndim, "topk")
    n = input.shape[d] if input.ndim else 1
    if not 0 <= k <= n:
        raise ArgumentError(f"topk: selected index k out of range: k is {k}, dimension {d} has {n} elements")
    values, indices, d = _sorted(input, dim, largest, "topk")
    if not input.ndim:
        return TopK(values, indices) if k else TopK(input.new_empty(0), indices.new_empty(0))
    return TopK(_back(values.narrow(-1, 0, k), d), _back(indices.narrow(-1, 0, k), d))


def _kth(x, k, dim, keepdim, name):
    """The element at position k (an int, or an index tensor over the other dimensions) of sorted dim."""
    values, indices, d = _sorted(x, dim, False, name)
    if not x.ndim:
        return values, indices
    if isinstance(k, TensorBase):
        values, indices = (v.gather(-1, k.unsqueeze(-1)).squeeze(-1) for v in (values, indices))
    else:
        values, indices = values.select(-1, k), indices.select(-1, k)
    return (values.unsqueeze(d), indices.unsqueeze(d)) if keepdim else (values, indices)


@function(apart=True, exact=True, contiguous=True)
def kthvalue(input, k, dim=-1, keepdim=False) -> KthValue:
    """(values, indices): the k-th smallest element of dim, counted from 1."""
    n = input.shape[normalize_dim(dim, input.ndim, "kthvalue")] if input.ndim else 1
    if not 1 <= k <= n:
        raise ArgumentError(f"kthvalue(): selected number k out of range for dimension {dim}: k is {k}, size {n}")
    return KthValue(*_kth(input, k - 1, dim, keepdim, "kthvalue"))


@function(contiguous=True)
def median(input, dim=None, keepdim=False) -> object:
    """The lower median of all elements, or (values, indices) over dim; NaN if any is NaN."""
    if dim is None:
        if not input.numel():
            return input.new_full((), math.nan if input.dtype.is_floating_point else 0)
        return _median_of_all(input, skip_nan=False)
    return Median(*_median(input, dim, keepdim, skip_nan=False))


@function(contiguous=True)
def nanmedian(input, dim=None, keepdim=False) -> object:
    """The lower median of all elements that are not NaN, or (values, indices) over dim."""
    if dim is None:
        if not input.numel():
            return input.new_full((), math.nan if input.dtype.is_floating_point else 0)
        return _median_of_all(input, skip_nan=True)
    return NanMedian(*_median(input, dim, keepdim, skip_nan=True))


@composite("median_of_all", public=False, saves="input y", ref=lambda x, skip_nan: np.sort(x.ravel())[(x.size - 1) // 2],
           samples=lambda rng: [((rng.standard_normal(shape),), {"skip_nan": skip}) for shape in ((3, 4), (5,)) for skip in (0, 1)],
           vjp=(lambda g, y, x, skip_nan: spread_ties(g, y, x, tuple(range(x.ndim)), False),))
def _median_of_all(input, *, skip_nan):
    """The lower median of all elements; those equal to it share its gradient."""
    return _median(input.reshape(-1), 0, False, skip_nan)[0]


def _median(x, dim, keepdim, skip_nan):
    d = normalize_dim(dim, x.ndim, "median")
    n = x.shape[d] if x.ndim else 1
    if n == 0:
        raise DimensionError(f"median(): Expected reduction dim {d} to have non-zero size.")
    if not x.dtype.is_floating_point or not x.ndim:
        return _kth(x, (n - 1) // 2, d, keepdim, "median")
    nans = x.isnan().sum(d)
    if skip_nan:
        position = ((n - nans - 1).clamp(min=0)).div(2, rounding_mode="floor")
    else:
        first_nan = n - nans
        position = first_nan.new_full(first_nan.shape, (n - 1) // 2).where(nans == 0, first_nan)
    return _kth(x, position, d, keepdim, "median")


@function()
def mode(input, dim=-1, keepdim=False) -> Mode:
    """(values, indices): the most frequent element of dim; the smallest one on a tie."""
    values, indices, d = _sorted(input, dim, False, "mode")
    if not input.ndim:
        return Mode(values, indices)
    if input.shape[d] == 0:
        raise DimensionError(f"mode(): Expected reduction dim {d} to have non-zero size.")
    _, found = run_planned(ops.mode_rows, (values.detach().contiguous(), indices.contiguous()), ())
    result = input.movedim(d, -1).gather(-1, found.unsqueeze(-1)).squeeze(-1)
    return Mode(result.unsqueeze(d), found.unsqueeze(d)) if keepdim else Mode(result, found)


_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(x, q, dim, keepdim, interpolation, skip_nan):
    name = "nanquantile" if skip_nan else "quantile"
    if not x.dtype.is_floating_point:
        raise DTypeError(f"{name}() input tensor must be either float or double dtype, got {x.dtype.name}")
    q = q if isinstance(q, TensorBase) else x.new_tensor(q)
    if q.ndim > 1:
        raise ShapeError(f"{name}() q must be a scalar or 1D tensor, got shape {list(q.shape)}")
    if q.dtype is not x.dtype:
        raise DTypeError(f"{name}() q tensor must be same dtype as the input tensor, got {q.dtype.name} and {x.dtype.name}")
    if interpolation not in _INTERPOLATIONS:
        raise ArgumentError(f"{name}() interpolation must be one of {', '.join(_INTERPOLATIONS)}, but got {interpolation!r}")
    if not x.numel():
        raise ShapeError(f"{name}() input tensor must be non-empty")
    flat = dim is None
    source = x.reshape(-1) if flat else x
    values, _, d = _sorted(source if source.ndim else source.reshape(1), 0 if flat else dim, False, name)
    n = values.shape[-1]
    nans = values.isnan().sum(-1, keepdim=True)
    last = (n - nans - 1).clamp(min=0) if skip_nan else nans * 0 + (n - 1)
    rank = q.reshape((-1,) + (1,) * values.ndim) * last.to(x.dtype)
    if not skip_nan:
        rank = rank.where(nans == 0, rank * 0 + (n - 1))  # NaN sorts last, so the result is NaN
    low = rank.floor()
    if interpolation in ("lower", "higher", "nearest"):
        rank = {"lower": rank.floor, "higher": rank.ceil, "nearest": rank.round}[interpolation]()
        out = _pick(values, rank)
    else:
        weight = rank - low if interpolation == "linear" else (rank != low).to(x.dtype) * 0.5
        below, above = _pick(values, low), _pick(values, rank.ceil())
        out = below + (above - below) * weight
    out = out.squeeze(-1)
    shape = tuple(out.shape[1:])
    if keepdim:
        shape = (1,) * x.ndim if flat or not x.ndim else (*shape[:d], 1, *shape[d:])
    return out.reshape(((q.shape[0],) if q.ndim else ()) + shape)


def _pick(values, rank):
    """values (..., n) at the positions rank (count, ..., 1)."""
    wide = values.unsqueeze(0).expand(rank.shape[0], *values.shape)
    return wide.gather(-1, rank.long())


@function()
def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """Values below which the fractions q of the elements lie; NaN if any element is NaN."""
    return _quantile(input, q, dim, keepdim, interpolation, skip_nan=False)


@function()
def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """quantile of the elements that are not NaN."""
    return _quantile(input, q, dim, keepdim, interpolation, skip_nan=True)


# --- searching -------------------------------------------------------------------------------------------------------


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


# --- masks -----------------------------------------------------------------------------------------------------------


def true_positions(mask):
    """The flat positions of a bool tensor's True elements, in order (this waits for their number)."""
    flat = mask.detach().reshape(-1).contiguous()
    if not flat.numel():
        return flat.new_empty(0, dtype=dtypes.int64)
    counts = flat.cumsum(0)
    total = int(counts[-1])
    return run_planned(ops.compact, (flat, counts), (total,))


@function()
def nonzero(input, *, as_tuple=False) -> object:
    """The indices of the elements that are not 0: rows of a (count, ndim) tensor, or one vector per dimension."""
    mask = input if input.dtype is dtypes.bool_ else input != 0
    flat = true_positions(mask)
    shape = input.shape if input.ndim or not as_tuple else (1,)
    columns = []
    for n in reversed(shape):
        columns.append(flat % max(n, 1))
        flat = flat.div(max(n, 1), rounding_mode="floor")
    columns.reverse()
    if as_tuple:
        return tuple(columns)
    return stack(columns, 1) if columns else flat.new_empty((flat.numel(), 0))


@function()
def argwhere(input):
    """nonzero."""
    return nonzero(input)


@function()
def nonzero_static(input, *, size, fill_value=-1):
    """nonzero with a fixed number of rows: truncated, or filled up with fill_value."""
    if size < 0:
        raise ArgumentError(f"nonzero_static: 'size' must be an non-negative integer, got {size}")
    found = input.nonzero()[:size]
    result = found.new_full((size, input.ndim), fill_value)
    result[:found.shape[0]] = found
    return result


@function(apart=True, exact=True)
def masked_select(input, mask):
    """The elements where mask is True (both broadcast), in one dimension."""
    if mask.dtype is not dtypes.bool_:
        raise DTypeError(f"masked_select: expected BoolTensor for mask, got {mask.dtype.name}")
    input, mask = broadcast_tensors(input, mask)
    return input.reshape(-1).index_select(0, true_positions(mask))


@function()
def masked_scatter(input, mask, source):
    """Fill a copy of input, where mask is True, with source's elements in order."""
    if mask.dtype is not dtypes.bool_:
        raise DTypeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.dtype.name}")
    if source.dtype is not input.dtype:
        raise DTypeError(f"masked_scatter: expected self and source to have same dtypes but got {input.dtype.name} and "
                         f"{source.dtype.name}")
    input, mask = broadcast_tensors(input, mask)
    places = true_positions(mask)
    if places.numel() > source.numel():
        raise ShapeError(f"masked_scatter: expected source to hold at least {places.numel()} elements, it has {source.numel()}")
    flat = input.reshape(-1).index_copy(0, places, source.reshape(-1).narrow(0, 0, places.numel()))
    return flat.reshape(input.shape)


@method()
def masked_scatter_(self, mask, source):
    """masked_scatter in place."""
    return self.copy_(masked_scatter(self, mask.expand(self.shape), source))


# --- distinct values and counts --------------------------------------------------------------------------------------


@function()
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


@function()
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None) -> object:
    """Drop repeated neighbours among elements (slices along dim); also return each one's place in the result, and counts."""
    return _consecutive(input, return_inverse, return_counts, dim)


def _consecutive(x, return_inverse, return_counts, dim, order=None, shape=None):
    """Runs of equal neighbours.  order: the position of each element before sorting, for the inverse."""
    flat = x.reshape(-1) if dim is None else x
    d = 0 if dim is None else normalize_dim(dim, x.ndim, "unique")
    n = flat.shape[d]
    if n == 0:
        starts = flat.new_empty(0, dtype=dtypes.int64)
        inverse = starts
    else:
        differs = flat.narrow(d, 1, n - 1) != flat.narrow(d, 0, n - 1)
        if differs.ndim > 1:
            differs = differs.any([i for i in range(differs.ndim) if i != d])
        fresh = cat([differs.new_ones(1), differs])
        starts = true_positions(fresh)
        inverse = fresh.cumsum(0) - 1
    out = [flat.index_select(d, starts)]
    if return_inverse:
        if order is not None:
            inverse = inverse.new_empty(inverse.shape).index_copy(0, order, inverse)
        out.append(inverse.reshape(x.shape if shape is None else shape) if dim is None else inverse)
    if return_counts:
        ends = cat([starts.narrow(0, 1, starts.numel() - 1), starts.new_full((1,), n)]) if starts.numel() else starts
        out.append(ends - starts)
    return out[0] if len(out) == 1 else tuple(out)


@function()
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None) -> object:
    """The distinct elements (slices along dim) in order; also each one's place in the result, and counts."""
    if dim is None:
        values, indices, _ = _sorted(input.reshape(-1), 0, False, "unique")
        return _consecutive(values, return_inverse, return_counts, None, indices, input.shape)
    d = normalize_dim(dim, input.ndim, "unique")
    rows = input.movedim(d, 0)
    order = arange(rows.shape[0], device=input.device)
    flat = rows.reshape(rows.shape[0], math.prod(rows.shape[1:]))
    for column in range(flat.shape[1] - 1, -1, -1):  # stable sorts, last key first
        order = order.index_select(0, sort(flat.select(1, column).index_select(0, order)).indices)
    return _consecutive(input.index_select(d, order), return_inverse, return_counts, d, order)


@function(method=False)
@also(element="elements", test_element="test_elements")
def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """Whether each element occurs in test_elements."""
    test = test_elements if isinstance(test_elements, TensorBase) else elements.new_tensor(test_elements)
    elements = elements if isinstance(elements, TensorBase) else test.new_tensor(elements)
    dtype = result_type([elements._spec, test._spec])
    if not test.numel():
        found = elements.new_zeros(elements.shape, dtype=dtypes.bool_)
    else:
        values = sort(convert(test, dtype).reshape(-1)).values
        wanted = convert(elements, dtype)
        at = searchsorted(values, wanted.contiguous() if wanted.ndim else wanted.reshape(1)).clamp(max=values.numel() - 1)
        found = (values.index_select(0, at.reshape(-1)).reshape(wanted.shape) == wanted)
    return ~found if invert else found
