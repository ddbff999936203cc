"""Grids of coordinates, combinations, and sequences of powers."""

import math

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...dispatch.tensor_base import TensorBase
from ...runtime import host_memory
from ..api.creation import _options, arange, check_room, from_array, from_values, made
from ..core.public_api import function
from .joining import stack
from .rearrange import flip


@function(method=False, out=False)
def meshgrid(*tensors, indexing=None) -> tuple:
    """Coordinate grids of vectors: for each vector, its values broadcast over the grid; indexing "ij" unless given, or "xy"."""
    indexing = "ij" if indexing is None else indexing
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
    if indexing not in ("ij", "xy"):
        raise ArgumentError(f'meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if not tensors:
        raise ArgumentError("meshgrid expects a non-empty TensorList")
    if any(x.ndim > 1 for x in tensors):
        raise ShapeError("meshgrid: Expected 0D or 1D tensors, but got " + ", ".join(str(list(x.shape)) for x in tensors))
    if len({x.dtype for x in tensors}) > 1:
        raise DTypeError("meshgrid expects all tensors to have the same dtype")
    vectors = [x.reshape(-1) for x in tensors]
    swap = indexing == "xy" and len(vectors) >= 2
    if swap:
        vectors[:2] = vectors[1::-1]
    shape = [x.shape[0] for x in vectors]
    grids = [x.reshape((1,) * i + (-1,) + (1,) * (len(shape) - 1 - i)).expand(shape) for i, x in enumerate(vectors)]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


@function(method=False, out=False)
def cartesian_prod(*tensors):
    """All combinations of one element of each vector, as rows."""
    for x in tensors:
        if x.ndim != 1:
            raise ShapeError(f"cartesian_prod: Expect a 1D vector, but got shape {list(x.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([g.reshape(-1) for g in meshgrid(*tensors)], 1)


@function(out=False)
def combinations(input, r=2, with_replacement=False):
    """All combinations of r elements of a vector, as rows, in lexicographic order of position."""
    if input.ndim != 1:
        raise ShapeError(f"combinations: Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise ArgumentError(f"combinations: Expect a non-negative number, but got {r}")
    n = input.numel()
    count = math.comb(n + r - 1, r) if with_replacement and n else math.comb(n, r)
    if r == 0 or not count:
        return input[:0] if r == 0 else input[:0].reshape(0, r)
    if count * r * input.itemsize <= input.device.profile.max_allocation:
        host_memory.require(count * 8 * (r + 2), f"combinations of {r} of {n} elements ({count} rows)")
    check_room(count * r, input.dtype, input.device)
    return stack([input[from_array(c, dtypes.int64, input.device)] for c in _places(n, r, int(with_replacement))], 1)


def _places(n, r, again):
    """Columns of all combinations of r of the places 0 to n - 1, in order; again: 1 if a place may occur twice, else 0."""
    columns = [np.arange(n if again else n - r + 1)]
    for j in range(1, r):
        first = columns[-1] + 1 - again  # first choice of the next place, for each row so far
        counts = (n if again else n - r + 1 + j) - first
        columns = [np.repeat(c, counts) for c in columns]
        columns.append(np.arange(len(columns[0])) + np.repeat(first - np.cumsum(counts) + counts, counts))
    return columns


@function(out=False)
def vander(x, N=None, increasing=False):
    """The Vandermonde matrix: powers of the last dimension's elements as columns."""
    if x.ndim != 1:
        raise ShapeError(f"vander: x must be a one-dimensional tensor, got shape {list(x.shape)}")
    n = x.shape[0] if N is None else N
    powers = arange(n, device=x.device)
    return x.unsqueeze(-1) ** (powers if increasing else flip(powers, 0))


@function(method=False, out=False)
def unravel_index(indices, shape) -> tuple:
    """The coordinates of flat indices into a tensor of `shape`, as one tensor per dimension."""
    if not isinstance(indices, TensorBase) or indices.dtype.category != "int":
        raise ArgumentError("unravel_index: expected 'indices' to be an integer tensor")
    shape = (int(shape),) if hasattr(shape, "__index__") else tuple(shape)
    if any(n < 0 for n in shape):
        raise ArgumentError(f"unravel_index: 'shape' cannot have negative values, but got {shape}")
    found = []
    for n in reversed(shape):
        found.append(indices % n)
        indices = indices // n
    return tuple(reversed(found))


@function(method=False)
def logspace(start, end, steps, base=10.0, *, dtype=None, device=None, requires_grad=False):
    """base ** linspace(start, end, steps)."""
    if steps < 0:
        raise ArgumentError(f"logspace: number of steps must be non-negative, got {steps}")
    dtype, d = _options(dtype, device)
    check_room(steps, dtype, d)
    kind = complex if dtype.is_complex else float if dtype.is_floating_point else int
    ends = [kind(x) for x in (start, end)]  # the ends are of the dtype, too
    values = float(base) ** np.linspace(*ends, steps)
    return made(from_values(values, dtype, d), requires_grad)
