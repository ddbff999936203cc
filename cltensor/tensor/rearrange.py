"""Rearranging elements: repeating, flipping, rolling, padding, triangles, diagonals, grids and combinations."""

import itertools

import numpy as np

from ..base import dtypes
from ..base.errors import ArgumentError, DimensionError, DTypeError, ShapeError
from ..base.shapes import normalize_dim
from ..ops import indexing as index_ops
from ..ops import pointwise
from ..ops.promotion import result_type
from .creation import _options, arange, check_room, from_array, made, sizes
from .dispatch import TensorBase, run_elementwise, run_planned
from .shape import as_strided, cat, narrow, split, stack
from .surface import also, function, method

# --- repeating -------------------------------------------------------------------------------------------------------


@method()
def repeat(self, *repeats):
    """The tensor copied repeats[i] times along dimension i; more repeats than dimensions add leading ones."""
    times = sizes(repeats, "repeat")
    if len(times) < self.ndim:
        raise ShapeError("repeat: Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: "
                         f"{list(times)} for shape {list(self.shape)}")
    if any(n < 0 for n in times):
        raise ShapeError(f"repeat: repeats must not be negative, got {list(times)}")
    padded = self.reshape((1,) * (len(times) - self.ndim) + tuple(self.shape))
    spread = [n for r, k in zip(times, padded.shape, strict=True) for n in (r, k)]
    paired = padded.reshape([n for k in padded.shape for n in (1, k)])
    return paired.expand(spread).reshape([r * k for r, k in zip(times, padded.shape, strict=True)]).clone()


@function()
def tile(input, *dims):
    """repeat, with missing leading repeats taken as 1."""
    times = sizes(dims, "tile")
    return input.repeat((1,) * (input.ndim - len(times)) + times)


@function()
def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Each element (slice along dim) repeated in place: by one number, or by a tensor of as many numbers as slices."""
    if repeats is None:
        input, repeats, dim = arange(input.numel(), device=input.device), input, 0
    if dim is None:
        input, dim = input.reshape(-1), 0
    d = normalize_dim(dim, input.ndim, "repeat_interleave")
    input = input if input.ndim else input.reshape(1)
    n = input.shape[d]
    counts = np.atleast_1d(repeats.numpy()) if isinstance(repeats, TensorBase) else np.atleast_1d(np.asarray(repeats))
    if counts.ndim != 1 or counts.dtype.kind not in "iu":
        raise ArgumentError(f"repeat_interleave: repeats must be an int or a 1-D tensor of integers, got {repeats!r}")
    if counts.size not in (1, n):
        raise ShapeError(f"repeat_interleave: repeats must have the same size as input along dim, got {counts.size} for {n}")
    if (counts < 0).any():
        raise ArgumentError("repeat_interleave: repeats can not be negative")
    if counts.size == 1:
        r = int(counts[0])
        spread = (*input.shape[:d + 1], r, *input.shape[d + 1:])
        return input.unsqueeze(d + 1).expand(spread).contiguous().flatten(d, d + 1) if r != 1 else input.clone()
    places = np.repeat(np.arange(n), counts)
    return input.index_select(d, from_array(places.astype(np.int64), dtypes.int64, input.device))


# --- reversing and shifting ------------------------------------------------------------------------------------------


@function()
def flip(input, *dims):
    """The order of elements reversed along dims."""
    dims = sizes(dims, "flip")
    wanted = [normalize_dim(d, input.ndim, "flip") for d in dims]
    if len(set(wanted)) < len(wanted):
        raise ShapeError(f"flip: dim appears multiple times in the list of dims {list(dims)}")
    out = input.clone()
    for d in wanted:
        if input.ndim and input.shape[d] > 1:
            out = out.index_select(d, arange(input.shape[d] - 1, -1, -1, device=input.device))
    return out


@function()
def fliplr(input):
    """flip along dimension 1.  Raises ShapeError below two dimensions."""
    if input.ndim < 2:
        raise ShapeError("fliplr: Input must be >= 2-d.")
    return flip(input, 1)


@function()
def flipud(input):
    """flip along dimension 0.  Raises ShapeError for 0-d tensors."""
    if input.ndim < 1:
        raise ShapeError("flipud: Input must be >= 1-d.")
    return flip(input, 0)


@function()
def roll(input, shifts, dims=None):
    """Elements shifted along dims, those pushed out coming in at the other end; without dims, of the flattened tensor."""
    shifts = tuple(shifts) if not hasattr(shifts, "__index__") else (int(shifts),)
    if dims is None or dims == ():
        if len(shifts) != 1:
            raise ShapeError(f"roll: shifts and dimensions must align: {len(shifts)} shifts, no dims")
        return roll(input.reshape(-1), shifts, 0).reshape(input.shape)
    dims = tuple(dims) if not hasattr(dims, "__index__") else (int(dims),)
    if len(shifts) != len(dims) or not shifts:
        raise ShapeError(f"roll: shifts and dimensions must align: {len(shifts)} shifts, {len(dims)} dims")
    if not input.ndim:
        raise DimensionError(f"roll: Dimension specified as {dims[0]} but tensor has no dimensions")
    out = input.clone()
    for shift, dim in zip(shifts, dims, strict=True):
        d = normalize_dim(dim, input.ndim, "roll")
        n = input.shape[d] if input.ndim else 1
        if n > 1 and shift % n:
            k = n - shift % n
            out = cat([narrow(out, d, k, n - k), narrow(out, d, 0, k)], d)
    return out


@function()
def rot90(input, k=1, dims=(0, 1)):
    """Rotated by k quarter turns in the plane of two dimensions."""
    if len(dims) != 2:
        raise ShapeError(f"rot90: expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise ShapeError(f"rot90: expected total dims >= 2, but got total dims = {input.ndim}")
    a, b = (normalize_dim(d, input.ndim, "rot90") for d in dims)
    if a == b:
        raise ShapeError(f"rot90: expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    k %= 4
    if k == 0:
        return input.clone()
    if k == 2:
        return flip(input, a, b)
    return flip(input.transpose(a, b), a) if k == 1 else flip(input, a).transpose(a, b).clone()


# --- joining ---------------------------------------------------------------------------------------------------------


@function(method=False)
def atleast_1d(*tensors):
    """Each tensor with at least one dimension."""
    return _each(tensors, lambda x: x if x.ndim >= 1 else x.reshape(1))


@function(method=False)
def atleast_2d(*tensors):
    """Each tensor with at least two dimensions."""
    return _each(tensors, lambda x: x if x.ndim >= 2 else x.reshape(1, -1))


@function(method=False)
def atleast_3d(*tensors):
    """Each tensor with at least three dimensions."""
    return _each(tensors, lambda x: x if x.ndim >= 3 else x.unsqueeze(-1) if x.ndim == 2 else x.reshape(1, -1, 1))


def _each(tensors, fn):
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
        return tuple(map(fn, tensors))
    return fn(tensors[0]) if len(tensors) == 1 else tuple(map(fn, tensors))


@function(method=False)
def hstack(tensors):
    """Joined side by side: along dimension 1, or 0 for vectors."""
    tensors = atleast_1d(tuple(tensors))
    return cat(tensors, 0 if tensors and tensors[0].ndim == 1 else 1)


@function("row_stack", method=False)
def vstack(tensors):
    """Joined one below the other, along dimension 0."""
    return cat(atleast_2d(tuple(tensors)), 0)


@function(method=False)
def dstack(tensors):
    """Joined along dimension 2."""
    return cat(atleast_3d(tuple(tensors)), 2)


@function(method=False)
def column_stack(tensors):
    """Vectors as columns, matrices as they are, joined along dimension 1."""
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
def tensor_split(input, indices_or_sections, dim=0):
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
def hsplit(input, indices_or_sections):
    """tensor_split along dimension 1, or 0 for vectors."""
    if input.ndim < 1:
        raise ShapeError(f"hsplit requires a tensor with at least 1 dimension, but got a tensor with {input.ndim} dimensions!")
    return _even_split(input, indices_or_sections, 0 if input.ndim == 1 else 1, "hsplit")


@function()
@_PARTS
def vsplit(input, indices_or_sections):
    """tensor_split along dimension 0."""
    if input.ndim < 2:
        raise ShapeError(f"vsplit requires a tensor with at least 2 dimension, but got a tensor with {input.ndim} dimensions!")
    return _even_split(input, indices_or_sections, 0, "vsplit")


@function()
@_PARTS
def dsplit(input, indices_or_sections):
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
def split_with_sizes(input, split_sizes, dim=0):
    """Views of the given sizes along dim."""
    return split(input, list(split_sizes), dim)


@function()
def unsafe_split(tensor, split_size, dim=0):
    """split."""
    return split(tensor, split_size, dim)


@function()
def unsafe_chunk(input, chunks, dim=0):
    """chunk."""
    return input.chunk(chunks, dim)


@method()
def unfold(self, dimension, size, step):
    """Windows of `size` elements every `step` along a dimension, as a new last dimension; a view."""
    d = normalize_dim(dimension, self.ndim, "unfold")
    n, s = (self.shape[d], self.stride(d)) if self.ndim else (1, 1)
    if size < 0 or step <= 0 or size > n:
        raise ShapeError(f"unfold: maximum size for tensor at dimension {d} is {n} but size is {size}; step is {step} and must "
                         "be > 0")
    count = (n - size) // step + 1
    if not self.ndim:
        return as_strided(self, (size,), (1,), self._offset)
    shape, strides = list(self.shape), list(self.stride())
    shape[d], strides[d] = count, s * step
    return as_strided(self, (*shape, size), (*strides, s), self._offset)


# --- triangles and diagonals -----------------------------------------------------------------------------------------


def _grid_positions(shape, device):
    rows = arange(shape[-2], device=device).unsqueeze(-1)
    return rows, arange(shape[-1], device=device)


@function()
def tril(input, diagonal=0):
    """The lower triangle: elements above the diagonal become 0."""
    return _triangle(input, diagonal, "tril")


@function()
def triu(input, diagonal=0):
    """The upper triangle: elements below the diagonal become 0."""
    return _triangle(input, diagonal, "triu")


def _triangle(x, diagonal, name):
    if x.ndim < 2:
        raise ShapeError(f"{name}: input tensor must have at least 2 dimensions")
    rows, columns = _grid_positions(x.shape, x.device)
    op = pointwise.keep_lower if name == "tril" else pointwise.keep_upper
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


@function(method=False)
def tril_indices(row, col, offset=0, *, dtype=None, device=None):
    """Row and column numbers of the lower triangle, as a (2, count) tensor."""
    return _triangle_indices(row, col, offset, dtype, device, np.tril_indices, "tril_indices")


@function(method=False)
def triu_indices(row, col, offset=0, *, dtype=None, device=None):
    """Row and column numbers of the upper triangle, as a (2, count) tensor."""
    return _triangle_indices(row, col, offset, dtype, device, np.triu_indices, "triu_indices")


@function()
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


@function()
def diagflat(input, offset=0):
    """diag of the flattened tensor."""
    return diag_embed(input.reshape(-1), offset)


@function()
def trace(input):
    """The sum of a matrix's diagonal."""
    if input.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return input.diagonal().sum()


def _scattered(input, src, pick, name):
    """A copy of input with the view `pick` shows overwritten by src."""
    out = input.clone()
    place = pick(out)
    if tuple(place.shape) != tuple(src.shape):
        raise ShapeError(f"{name}: expected src to have a size equal to the slice of self: src size {list(src.shape)}, slice "
                         f"size {list(place.shape)}")
    place.copy_(src)
    return out


@function()
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """A copy of input with src on a diagonal."""
    return _scattered(input, src, lambda x: x.diagonal(offset, dim1, dim2), "diagonal_scatter")


@function()
def select_scatter(input, src, dim, index):
    """A copy of input with src at one index of dim."""
    return _scattered(input, src, lambda x: x.select(dim, index), "select_scatter")


@function()
def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """A copy of input with src in a slice of dim."""
    d = normalize_dim(dim, input.ndim, "slice_scatter")
    index = (slice(None),) * d + (slice(start, end, step),)
    return _scattered(input, src, lambda x: x[index], "slice_scatter")


@function()
def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of input with src at a strided view."""
    offset = input._offset if storage_offset is None else storage_offset
    return _scattered(input, src, lambda x: as_strided(x, size, stride, offset - input._offset), "as_strided_scatter")


# --- padding ---------------------------------------------------------------------------------------------------------


@function(method=False)
def constant_pad_nd(input, pad, value=0):
    """input with borders of one value; pad as nn.functional.pad takes it.  Always a copy."""
    return pad_constant(input, pad, value)


def pad_constant(x, pad, value=0):
    """x with `pad` = (before, after) of the last dimension, then of the one before it, ... filled with value; negative crops."""
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    first = x.ndim - len(pairs)
    shape = [n + (sum(pairs[x.ndim - 1 - d]) if d >= first else 0) for d, n in enumerate(x.shape)]
    if any(n < 0 for n in shape):
        raise ShapeError(f"pad: the input size {list(x.shape)} plus padding {list(pad)} gives a negative output size {shape}")
    out = x.new_full(shape, value)
    inner, source = out, x
    for d in range(first, x.ndim):
        before, after = pairs[x.ndim - 1 - d]
        inner = narrow(inner, d, max(before, 0), shape[d] - max(before, 0) - max(after, 0))
        source = narrow(source, d, max(-before, 0), x.shape[d] + min(before, 0) + min(after, 0))
    inner.copy_(source)
    return out


_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad_mode(x, pad, mode):
    """x padded by reflection, replication of the edge, or wrapping around."""
    out = x
    for i in range(0, len(pad), 2):
        d = x.ndim - 1 - i // 2
        n, (before, after) = x.shape[d], (pad[i], pad[i + 1])
        limit = {"reflect": n - 1, "circular": n}.get(mode)
        if limit is not None and max(before, after) > limit:
            raise ShapeError(f"pad: Padding size should be less than the corresponding input dimension: padding ({before}, "
                             f"{after}) "
                             f"in mode {mode!r} at dimension {d} of input {list(x.shape)}")
        if n + before + after <= 0:
            raise ShapeError(f"pad: padding ({before}, {after}) of size {n} at dimension {d} leaves nothing")
        grown = np.pad(np.arange(n), (max(before, 0), max(after, 0)), mode=_MODES[mode])
        places = grown[max(-before, 0):len(grown) - max(-after, 0)]
        out = out.index_select(d, from_array(places.astype(np.int64), dtypes.int64, x.device))
    return out


# --- grids and combinations ------------------------------------------------------------------------------------------


@function(method=False)
def meshgrid(*tensors, indexing="ij"):
    """Coordinate grids of vectors: for each vector, its values broadcast over the grid."""
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


@function(method=False)
def cartesian_prod(*tensors):
    """All combinations of one element of each vector, as rows."""
    for x in tensors:
        if x.ndim != 1:
            raise ShapeError(f"cartesian_prod: Expect a 1D vector, but got shape {list(x.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([g.reshape(-1) for g in meshgrid(*tensors)], 1)


@function()
def combinations(input, r=2, with_replacement=False):
    """All combinations of r elements of a vector, as rows, in lexicographic order of position."""
    if input.ndim != 1:
        raise ShapeError(f"combinations: Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise ArgumentError(f"combinations: Expect a non-negative number, but got {r}")
    if r == 0:
        return input[:0]
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(input.numel()), r)), np.int64).reshape(-1, r)
    return input[from_array(rows, dtypes.int64, input.device)] if rows.size else input[:0].reshape(0, r)


@function()
def vander(x, N=None, increasing=False):
    """The Vandermonde matrix: powers of the last dimension's elements as columns."""
    n = x.shape[-1] if N is None else N
    powers = arange(n, device=x.device)
    return x.unsqueeze(-1) ** (powers if increasing else flip(powers, 0))


@function(method=False)
def unravel_index(indices, shape):
    """The coordinates of flat indices into a tensor of `shape`, as one tensor a dimension."""
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
    values = float(base) ** np.linspace(float(start), float(end), steps)
    return made(from_array(values.astype(dtype.numpy), dtype, d) if dtype is not dtypes.bfloat16 else
                from_array(values, dtypes.float64, d).to(dtype), requires_grad)


# --- picking by position ---------------------------------------------------------------------------------------------


@function(apart=True, exact=True)
def take(input, index):
    """Elements of the flattened tensor at index."""
    if not input.numel() and index.numel():
        raise ShapeError("take(): tried to take from an empty tensor")
    return input.reshape(-1).index_select(0, index.reshape(-1)).reshape(index.shape)


@method()
def put_(self, index, source, accumulate=False):
    """Write source's elements at index of the flattened tensor; accumulate adds instead."""
    if index.numel() != source.numel():
        raise ShapeError(f"put_(): Expected source and index to have the same number of elements, got {source.numel()} and "
                         f"{index.numel()}")
    if source.dtype is not self.dtype:
        raise DTypeError(f"put_(): self and source expected to have the same dtype, got {self.dtype.name} and {source.dtype.name}")
    flat = run_planned(index_ops.index_combine, (self.reshape(-1), index.reshape(-1), source.reshape(-1)),
                       (0, "add" if accumulate else "set"))
    return self.copy_(flat.reshape(self.shape))


@function()
def put(input, index, source, accumulate=False):
    """A copy of input with source's elements at index of the flattened tensor."""
    return input.clone().put_(index, source, accumulate)


@function()
def take_along_dim(input, indices, dim=None):
    """gather with broadcasting; without dim, of the flattened tensors."""
    if indices.dtype is not dtypes.int64:
        raise DTypeError(f"take_along_dim(): dtype of indices should be Long but got {indices.dtype.name}")
    if dim is None:
        return input.reshape(-1).gather(0, indices.reshape(-1))
    if input.ndim != indices.ndim:
        raise ShapeError(f"take_along_dim(): input and indices should have the same number of dimensions, but got {input.ndim} "
                         f"dimensions for input, and {indices.ndim} dimensions for indices")
    d = normalize_dim(dim, input.ndim, "take_along_dim")
    pairs = enumerate(zip(input.shape, indices.shape, strict=True))
    rest = [1 if i == d else max(a, b) if 0 not in (a, b) else 0 for i, (a, b) in pairs]
    wide = input.expand([input.shape[d] if i == d else n for i, n in enumerate(rest)])
    return wide.gather(d, indices.expand([indices.shape[d] if i == d else n for i, n in enumerate(rest)]))


@function("adjoint")
def matrix_transpose(input):
    """The last two dimensions exchanged."""
    if input.ndim < 2:
        raise ShapeError(f"matrix_transpose: needs at least 2 dimensions, got {list(input.shape)}")
    return input.transpose(-2, -1)
