"""The elements that a mask picks, and the places of those that are not zero."""

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...dispatch.run_planned import run_planned
from ...ops.reduce import sorting as ops
from ..core.public_api import function, method
from ..shape.joining import stack
from ..shape.shape import broadcast_tensors


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


@function(out=False)
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


@function(out=False)
def masked_scatter(input, mask, source):
    """Fill a copy of input, where mask is True, with source's elements in order."""
    if mask.dtype is not dtypes.bool_:
        raise DTypeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.dtype.name}")
    if source.dtype is not input.dtype:
        raise DTypeError(f"masked_scatter: expected self and source to have same dtypes but got {input.dtype.name} and "
                         f"{source.dtype.name}")
    input, mask = broadcast_tensors(input, mask)
    if input.is_meta:
        return input.clone()
    places = true_positions(mask)
    if places.numel() > source.numel():
        raise ShapeError(f"masked_scatter: expected source to hold at least {places.numel()} elements, it has {source.numel()}")
    flat = input.reshape(-1).index_copy(0, places, source.reshape(-1).narrow(0, 0, places.numel()))
    return flat.reshape(input.shape)


@method()
def masked_scatter_(self, mask, source):
    """masked_scatter in place."""
    return self.copy_(masked_scatter(self, mask.expand(self.shape), source))
