"""Distinct values."""

import math

from ...base import dtypes
from ...base.shapes import normalize_dim
from ...dispatch.promotion import result_type
from ...dispatch.tensor_base import TensorBase
from ..api.creation import arange
from ..core.public_api import also, function
from ..math.arithmetic import convert
from ..shape.joining import cat
from .masking import true_positions
from .searching import searchsorted
from .sorting import sort, sort_along


@function(out=False)
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


@function(out=False)
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None) -> object:
    """The distinct elements (slices along dim) in order; also each one's place in the result, and counts."""
    if dim is None:
        values, indices, _ = sort_along(input.reshape(-1), 0, False, "unique")
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
