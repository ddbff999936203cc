"""Sorting and order statistics."""

import math

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, DimensionError, DTypeError, ShapeError
from ...base.shapes import normalize_dim
from ...dispatch.autocast import FLOAT32_ON_CPU, autocasts
from ...dispatch.run_planned import run_planned
from ...dispatch.tensor_base import TensorBase
from ...ops.kinds.composite import composite
from ...ops.reduce import sorting as ops
from ...ops.reduce.reduction_ops import spread_ties
from ..core.public_api import function
from ..core.results import result

Sort = result("sort", "values indices")
TopK = result("topk", "values indices")
KthValue = result("kthvalue", "values indices")
Median = result("median", "values indices")
NanMedian = result("nanmedian", "values indices")
Mode = result("mode", "values indices")


def sort_along(x, dim, descending, name):
    """(values, indices) sorted along dim, with dim moved last; and dim's position."""
    d = normalize_dim(dim, x._spec.ndim, name)
    if x.dtype in dtypes.UNSIGNED:
        values, indices, d = sort_along(_signed(x), dim, descending, name)
        return _unsigned(values, x.dtype), indices, d
    if not x._spec.ndim:
        return x.clone(), x.new_zeros((), dtype=dtypes.int64), 0
    values, indices = run_planned(ops.sort_rows, (x.movedim(d, -1).contiguous(),), (bool(descending),))
    return values, indices, d


_TOP = -(2**63)  # the highest bit of 64: with it turned, unsigned numbers are in the order of signed ones


def _signed(x):
    """Signed ints in the order of unsigned ones."""
    if x.dtype is dtypes.uint64:
        return x.contiguous().view(dtypes.int64) ^ _TOP
    return x.to(dtypes.int64 if x.dtype is dtypes.uint32 else dtypes.int32)


def _unsigned(x, dtype):
    """The unsigned ints that _signed converted."""
    return (x ^ _TOP).view(dtype) if dtype is dtypes.uint64 else x.to(dtype)


def _back(x, d):
    return x.movedim(-1, d) if x.ndim > 1 else x


@function(contiguous=True)
def sort(input, dim=-1, descending=False, stable=False) -> Sort:
    """(values, indices): the elements of dim in order (always stable; NaN counts as largest)."""
    values, indices, d = sort_along(input, dim, descending, "sort")
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
    values, indices, d = sort_along(input, dim, largest, "topk")
    if not input.ndim:
        return TopK(values, indices) if k else TopK(input.new_empty(0), indices.new_empty(0))
    return TopK(_back(values.narrow(-1, 0, k), d), _back(indices.narrow(-1, 0, k), d))


def _kth(x, k, dim, keepdim, name):
    """The element at position k (an int, or an index tensor over the other dimensions) of sorted dim."""
    values, indices, d = sort_along(x, dim, False, name)
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
    values, indices, d = sort_along(input, dim, False, "mode")
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
    values, _, d = sort_along(source if source.ndim else source.reshape(1), 0 if flat else dim, False, name)
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
@autocasts(FLOAT32_ON_CPU)
def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """Values below which the fractions q of the elements lie; NaN if any element is NaN."""
    return _quantile(input, q, dim, keepdim, interpolation, skip_nan=False)


@function()
@autocasts(FLOAT32_ON_CPU)
def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """quantile of the elements that are not NaN."""
    return _quantile(input, q, dim, keepdim, interpolation, skip_nan=True)
