"""Triangles and diagonals, and tensors with one part replaced."""

import numpy as np

from ...base import dtypes
from ...base.errors import AutogradError, DTypeError, ShapeError
from ...base.shapes import normalize_dim
from ...dispatch.autocast import FLOAT32_OR_GIVEN, autocasts
from ...dispatch.run_elementwise import run_elementwise
from ...ops.pointwise import elementary
from ..api.creation import _options, arange, from_array
from ..core.public_api import function, method
from .shape import as_strided


def _grid_positions(shape, device):
    rows = arange(shape[-2], device=device).unsqueeze(-1)
    return rows, arange(shape[-1], device=device)


@function(contiguous=True)
def tril(input, diagonal=0):
    """The lower triangle: set the elements above the diagonal to 0."""
    return _triangle(input, diagonal, "tril")


@function(contiguous=True)
def triu(input, diagonal=0):
    """The upper triangle: set the elements below the diagonal to 0."""
    return _triangle(input, diagonal, "triu")


def _triangle(x, diagonal, name):
    if x.ndim < 2:
        raise ShapeError(f"{name}: input tensor must have at least 2 dimensions")
    rows, columns = _grid_positions(x.shape, x.device)
    op = elementary.keep_lower if name == "tril" else elementary.keep_upper
    return run_elementwise(op, (x, rows, columns), (int(diagonal),))


@method()
def tril_(self, diagonal=0):
    """tril in place."""
    return self.copy_(tril(self, diagonal))


@method()
def triu_(self, diagonal=0):
    """triu in place."""
    return self.copy_(triu(self, diagonal))


def _triangle_indices(row, col, offset, dtype, device, fn, name):
    if row < 0 or col < 0:
        raise ShapeError(f"{name}: row and col must be non-negative, got {row} and {col}")
    dtype, d = _options(dtype or dtypes.int64, device)
    if dtype not in (dtypes.int32, dtypes.int64):
        raise DTypeError(f"{name}: not implemented for {dtype.name}; indices are int32 or int64")
    return from_array(np.array(fn(row, offset, col)).astype(dtype.numpy), dtype, d)


def _check_no_gradient(name, requires_grad):
    if requires_grad:
        raise AutogradError(f"{name}: Only Tensors of floating point and complex dtype can require gradients; indices cannot")


@function(method=False, out=False)
def tril_indices(row, col, offset=0, *, dtype=None, device=None, requires_grad=False):
    """Row and column numbers of the lower triangle, as a (2, count) tensor."""
    _check_no_gradient("tril_indices", requires_grad)
    return _triangle_indices(row, col, offset, dtype, device, np.tril_indices, "tril_indices")


@function(method=False, out=False)
def triu_indices(row, col, offset=0, *, dtype=None, device=None, requires_grad=False):
    """Row and column numbers of the upper triangle, as a (2, count) tensor."""
    _check_no_gradient("triu_indices", requires_grad)
    return _triangle_indices(row, col, offset, dtype, device, np.triu_indices, "triu_indices")


@function(out=False)
def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """Matrices with the last dimension of input on a diagonal."""
    n = input.ndim + 1
    a, b = normalize_dim(dim1, n, "diag_embed"), normalize_dim(dim2, n, "diag_embed")
    if a == b:
        raise ShapeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    side = input.shape[-1] + abs(offset)
    shape = [*input.shape[:-1]]
    for d in sorted((a, b)):
        shape.insert(d, side)
    return input.new_zeros(shape).diagonal_scatter(input, offset, a, b)


@function()
def diag(input, diagonal=0):
    """A vector on a matrix's diagonal, or a matrix's diagonal as a vector."""
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise ShapeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return input.diagonal(diagonal).clone()


@function(out=False)
def diagflat(input, offset=0):
    """diag of the flattened tensor."""
    return diag_embed(input.reshape(-1), offset)


@function(out=False)
@autocasts(FLOAT32_OR_GIVEN)
def trace(input):
    """The sum of a matrix's diagonal."""
    if input.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return input.diagonal().sum()


def _scattered(input, src, pick, name):
    """A copy of input, with src written to its view `pick`."""
    out = input.clone()
    place = pick(out)
    if tuple(place.shape) != tuple(src.shape):
        raise ShapeError(f"{name}: expected src to have a size equal to the slice of self: src size {list(src.shape)}, slice "
                         f"size {list(place.shape)}")
    place.copy_(src)
    return out


@function(out=False)
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """A copy of input with src on a diagonal."""
    return _scattered(input, src, lambda x: x.diagonal(offset, dim1, dim2), "diagonal_scatter")


@function(out=False)
def select_scatter(input, src, dim, index):
    """A copy of input with src at one index of dim."""
    return _scattered(input, src, lambda x: x.select(dim, index), "select_scatter")


@function()
def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """A copy of input with src in a slice of dim."""
    d = normalize_dim(dim, input.ndim, "slice_scatter")
    index = (slice(None),) * d + (slice(start, end, step),)
    return _scattered(input, src, lambda x: x[index], "slice_scatter")


@function(out=False)
def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of input with src at a strided view."""
    offset = input._offset if storage_offset is None else storage_offset
    return _scattered(input, src, lambda x: as_strided(x, size, stride, offset - input._offset), "as_strided_scatter")
