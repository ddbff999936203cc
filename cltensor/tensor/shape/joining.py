"""Join tensors along dimensions, and split them."""

from ...base import dtypes
from ...base.errors import ArgumentError, ShapeError
from ...base.shapes import normalize_dim
from ...dispatch.promotion import result_type
from ...dispatch.tensor_base import TensorBase
from ..core.public_api import also, function
from .padding import pad_constant
from .shape import cat, narrow, split


@function(method=False)
def atleast_1d(*tensors) -> object:
    """Each tensor with at least one dimension."""
    return _each(tensors, lambda x: x if x.ndim >= 1 else x.reshape(1))


@function(method=False)
def atleast_2d(*tensors) -> object:
    """Each tensor with at least two dimensions."""
    return _each(tensors, lambda x: x if x.ndim >= 2 else x.reshape(1, -1))


@function(method=False)
def atleast_3d(*tensors) -> object:
    """Each tensor with at least three dimensions."""
    return _each(tensors, lambda x: x if x.ndim >= 3 else x.unsqueeze(-1) if x.ndim == 2 else x.reshape(1, -1, 1))


def _each(tensors, fn):
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
        return tuple(map(fn, tensors))
    return fn(tensors[0]) if len(tensors) == 1 else tuple(map(fn, tensors))


@function(method=False)
def hstack(tensors):
    """Join tensors side by side: along dimension 1, or 0 for vectors."""
    tensors = atleast_1d(tuple(tensors))
    return cat(tensors, 0 if tensors and tensors[0].ndim == 1 else 1)


@function("row_stack", method=False)
def vstack(tensors):
    """Join tensors one below the other, along dimension 0."""
    return cat(atleast_2d(tuple(tensors)), 0)


@function(method=False)
def dstack(tensors):
    """Join tensors along dimension 2."""
    return cat(atleast_3d(tuple(tensors)), 2)


@function(method=False)
def column_stack(tensors):
    """Join vectors as columns, and matrices as they are, along dimension 1."""
    return cat([x.reshape(-1, 1) if x.ndim <= 1 else x for x in tensors], 1)


@function(method=False)
def block_diag(*tensors):
    """Matrices along the diagonal of a larger one, zeros elsewhere."""
    for x in tensors:
        if x.ndim > 2:
            raise ShapeError(f"block_diag: Input tensors must have 2 or fewer dimensions, got {list(x.shape)}")
    blocks = [x if x.ndim == 2 else x.reshape(1, -1) for x in tensors]
    dtype = result_type([x._spec for x in blocks])
    columns = sum(b.shape[1] for b in blocks)
    rows, at = [], 0
    for b in blocks:
        rows.append(pad_constant(b.to(dtype), (at, columns - at - b.shape[1])))
        at += b.shape[1]
    return cat(rows, 0)


# --- splitting -------------------------------------------------------------------------------------------------------

_PARTS = also(sections="indices_or_sections", indices="indices_or_sections",
              tensor_indices_or_sections="indices_or_sections")


@function()
@_PARTS
def tensor_split(input, indices_or_sections, dim=0) -> tuple:
    """Views split into n nearly equal parts, or at given indices."""
    d = normalize_dim(dim, input.ndim, "tensor_split")
    if not input.ndim:
        raise ShapeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    n = input.shape[d]
    if isinstance(indices_or_sections, TensorBase):
        if indices_or_sections.dtype is not dtypes.int64 or indices_or_sections.ndim > 1:
            raise ArgumentError("tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional "
                                f"int64 tensor, got {indices_or_sections.dtype.name} {list(indices_or_sections.shape)}")
        indices_or_sections = indices_or_sections.tolist()
    if hasattr(indices_or_sections, "__index__"):
        parts = int(indices_or_sections)
        if parts <= 0:
            raise ArgumentError(f"tensor_split: number of sections must be larger than 0, got {parts}")
        return split(input, [n // parts + (i < n % parts) for i in range(parts)], d)
    ends = [*indices_or_sections, n]
    starts = [0, *indices_or_sections]
    bounds = [slice(s, e).indices(n)[:2] for s, e in zip(starts, ends, strict=True)]
    return tuple(narrow(input, d, s, max(0, e - s)) for s, e in bounds)


@function()
@_PARTS
def hsplit(input, indices_or_sections) -> tuple:
    """tensor_split along dimension 1, or 0 for vectors."""
    if input.ndim < 1:
        raise ShapeError(f"hsplit requires a tensor with at least 1 dimension, but got a tensor with {input.ndim} dimensions!")
    return _even_split(input, indices_or_sections, 0 if input.ndim == 1 else 1, "hsplit")


@function()
@_PARTS
def vsplit(input, indices_or_sections) -> tuple:
    """tensor_split along dimension 0."""
    if input.ndim < 2:
        raise ShapeError(f"vsplit requires a tensor with at least 2 dimension, but got a tensor with {input.ndim} dimensions!")
    return _even_split(input, indices_or_sections, 0, "vsplit")


@function()
@_PARTS
def dsplit(input, indices_or_sections) -> tuple:
    """tensor_split along dimension 2."""
    if input.ndim < 3:
        raise ShapeError(f"dsplit requires a tensor with at least 3 dimension, but got a tensor with {input.ndim} dimensions!")
    return _even_split(input, indices_or_sections, 2, "dsplit")


def _even_split(x, parts, d, name):
    if hasattr(parts, "__index__") and (parts == 0 or x.shape[d] % parts):
        raise ShapeError(f"{name} attempted to split along dimension {d}, but the size of the dimension {x.shape[d]} is not "
                         f"divisible by the split_size {parts}!")
    return tensor_split(x, parts, d)


@function()
def split_with_sizes(input, split_sizes, dim=0) -> tuple:
    """Views of the given sizes along dim."""
    return split(input, list(split_sizes), dim)


@function()
def unsafe_split(tensor, split_size, dim=0) -> tuple:
    """split."""
    return split(tensor, split_size, dim)


@function()
def unsafe_chunk(input, chunks, dim=0) -> tuple:
    """chunk."""
    return input.chunk(chunks, dim)
