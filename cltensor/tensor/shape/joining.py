"""Join tensors along dimensions, and split them."""

from ...base import calls, dtypes
from ...base.errors import ArgumentError, ArgumentTypeError, DimensionError, ShapeError
from ...base.observed_sizes import as_index
from ...base.shapes import normalize_dim
from ...dispatch.promotion import result_type
from ...dispatch.run_planned import run_planned
from ...dispatch.tensor_base import TensorBase
from ...ops.index import concat
from ..core.public_api import also, function
from .padding import pad_constant
from .shape import bounds, narrow, select


@function("concat", "concatenate", method=False, apart=True)
def cat(tensors, dim=0):
    """Join tensors along an existing dimension; dtypes are promoted."""
    if isinstance(tensors, TensorBase):
        raise ArgumentTypeError("cat(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
    tensors = tuple(tensors)
    if not tensors:
        raise ArgumentError("cat: expected a non-empty list of Tensors")
    for x in tensors:
        if not isinstance(x, TensorBase):
            raise ArgumentTypeError(f"cat: expected Tensors, got {calls.kind(x)}")
    first = next((x for x in tensors if tuple(x._spec.shape) != (0,)), tensors[0])
    d = 0 if tuple(first._spec.shape) == (0,) else normalize_dim(dim, first.ndim, "cat")
    nothing = (*first.shape[:d], 0, *first.shape[d + 1:])  # an empty vector joins any shape and dim, as in PyTorch
    used = [x.reshape(nothing) if tuple(x._spec.shape) == (0,) and first.ndim > 1 else x for x in tensors]
    if first.ndim == 0:
        raise ShapeError("cat: zero-dimensional tensor (at position 0) cannot be concatenated; use stack")
    for i, x in enumerate(used):
        if x.ndim != first.ndim or any(a != b for j, (a, b) in enumerate(zip(x.shape, first.shape, strict=True)) if j != d):
            raise ShapeError(f"cat: Sizes of tensors must match except in dimension {d}: tensor 0 is {list(first.shape)}, "
                             f"tensor {i} is {list(x.shape)}")
    return run_planned(concat.cat, tuple(used), (d,))


@function(method=False)
def stack(tensors, dim=0):
    """Join tensors of one shape along a new dimension."""
    tensors = tuple(tensors)
    if not tensors:
        raise ArgumentTypeError("stack: expected a non-empty list of Tensors")
    for i, x in enumerate(tensors):
        if x.shape != tensors[0].shape:
            raise ShapeError(f"stack expects each tensor to be equal size, but got {list(tensors[0].shape)} at entry 0 and "
                             f"{list(x.shape)} at entry {i}")
    n = tensors[0].ndim + 1
    if not -n <= dim < n:
        raise DimensionError(f"stack: Dimension out of range: dim is {dim}, expected to be in [{-n}, {n - 1}]")
    return run_planned(concat.stack, tensors, (dim % n,))


@function(method=False, out=False)
def atleast_1d(*tensors) -> object:
    """Each tensor with at least one dimension."""
    return _each(tensors, lambda x: x if x.ndim >= 1 else x.reshape(1))


@function(method=False, out=False)
def atleast_2d(*tensors) -> object:
    """Each tensor with at least two dimensions."""
    return _each(tensors, lambda x: x if x.ndim >= 2 else x.reshape(1, -1))


@function(method=False, out=False)
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


@function(method=False, out=False)
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


@function(out=False)
@also(split_size="split_size_or_sections")
def split(tensor, split_size_or_sections, dim=0) -> tuple:
    """Views of consecutive pieces: of a size (the last may be smaller), or of the sizes in a list."""
    d = normalize_dim(dim, tensor.ndim, "split")
    n = tensor.shape[d]
    if hasattr(split_size_or_sections, "__index__"):
        size = as_index(split_size_or_sections)
        if size < 0 or (size == 0 and n):
            raise ShapeError(f"split: split_size must be positive, got {size}")
        last = (n - 1) // size if n else 0
        pieces = [*[size] * last, n - size * last]
    else:
        pieces = list(split_size_or_sections)
        if sum(pieces) != n or any(p < 0 for p in pieces):
            raise ShapeError(f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension "
                             f"{d}), but got {pieces}")
    starts = [sum(pieces[:i]) for i in range(len(pieces))]
    return tuple(narrow(tensor, d, s, p) for s, p in zip(starts, pieces, strict=True))


@function(out=False)
def chunk(input, chunks, dim=0) -> tuple:
    """At most `chunks` views of equal size (the last may be smaller)."""
    if chunks <= 0:
        raise ShapeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if not input.ndim:
        raise ShapeError("chunk expects at least a 1-dimensional tensor, got a 0-d one")
    n = input.shape[normalize_dim(dim, input.ndim, "chunk")]
    return split(input, max(1, -(-n // chunks)), dim) if n else (input,) * chunks


@function(out=False)
def unbind(input, dim=0) -> tuple:
    """Views of every index of a dimension."""
    d = normalize_dim(dim, input.ndim, "unbind")
    if not input.ndim:
        raise DimensionError("unbind: cannot unbind a 0-dim tensor")
    return tuple(select(input, d, i) for i in range(input.shape[d]))


_PARTS = also(sections="indices_or_sections", indices="indices_or_sections",
              tensor_indices_or_sections="indices_or_sections")


@function(out=False)
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
        parts = as_index(indices_or_sections)
        if parts <= 0:
            raise ArgumentError(f"tensor_split: number of sections must be larger than 0, got {parts}")
        return split(input, [n // parts + (i < n % parts) for i in range(parts)], d)
    ends = [*indices_or_sections, n]
    starts = [0, *indices_or_sections]
    found = [bounds(slice(s, e), n)[:2] for s, e in zip(starts, ends, strict=True)]
    return tuple(narrow(input, d, s, max(0, e - s)) for s, e in found)


@function(out=False)
@_PARTS
def hsplit(input, indices_or_sections) -> tuple:
    """tensor_split along dimension 1, or 0 for vectors."""
    if input.ndim < 1:
        raise ShapeError(f"hsplit requires a tensor with at least 1 dimension, but got a tensor with {input.ndim} dimensions!")
    return _even_split(input, indices_or_sections, 0 if input.ndim == 1 else 1, "hsplit")


@function(out=False)
@_PARTS
def vsplit(input, indices_or_sections) -> tuple:
    """tensor_split along dimension 0."""
    if input.ndim < 2:
        raise ShapeError(f"vsplit requires a tensor with at least 2 dimension, but got a tensor with {input.ndim} dimensions!")
    return _even_split(input, indices_or_sections, 0, "vsplit")


@function(out=False)
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


@function(out=False)
def split_with_sizes(input, split_sizes, dim=0) -> tuple:
    """Views of the given sizes along dim."""
    return split(input, list(split_sizes), dim)


@function(out=False)
def unsafe_split_with_sizes(input, split_sizes, dim=0) -> tuple:
    """split_with_sizes: pieces of the given sizes along dim, as views; of any shape and dtype.

    Raises ShapeError where the sizes do not add up.  Source: PyTorch 2.13's unsafe_split_with_sizes.

        first, rest = cltensor.ones(5).unsafe_split_with_sizes([1, 4])
    """
    return split_with_sizes(input, split_sizes, dim)


@function(method=False)
def slice_copy(input, dim=0, start=None, end=None, step=1):
    """A copy of input[start:end:step] along dim, of any shape and dtype.

    Raises DimensionError for a dimension out of range.  Source: PyTorch 2.13's slice_copy.

        cltensor.slice_copy(cltensor.arange(5), 0, 1, 3)
    """
    place = normalize_dim(dim, input.ndim, "slice_copy")
    return input[(*[slice(None)] * place, slice(start, end, step))].clone()


@function(out=False)
def unsafe_split(input, split_size, dim=0) -> tuple:
    """split."""
    return split(input, split_size, dim)


@function(out=False)
def unsafe_chunk(input, chunks, dim=0) -> tuple:
    """chunk."""
    return input.chunk(chunks, dim)
