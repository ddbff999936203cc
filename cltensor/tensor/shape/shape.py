"""Shapes: views, reordering, sizes."""

import math

import numpy as np

from ...base import dtypes
from ...base.errors import AutogradError, DimensionError, ShapeError
from ...base.layouts import contiguous_format, format_strides, preserve_format
from ...base.observed_sizes import observed, plain
from ...base.shapes import broadcast_dims, broadcast_shapes, normalize_dim, normalize_dims
from ...dispatch.resizing import resize
from ...dispatch.run_elementwise import run_elementwise
from ...dispatch.run_planned import run_planned, run_view
from ...dispatch.spec import spec
from ...dispatch.tensor_base import TensorBase
from ...ops.index import strided, view_ops
from ...ops.kinds.composite import composite
from ...ops.pointwise import elementary
from ...ops.reduce.reduction_ops import sum_
from ..api.creation import _shape, count, sizes
from ..core.public_api import function, method
from ..core.tensor import Tensor


def infer_size(shape, numel, op):
    """Replace the -1 in shape by the size that fits numel.  Raises ShapeError if there is none."""
    unknown = [i for i, n in enumerate(shape) if n == -1]
    if len(unknown) > 1:
        raise ShapeError(f"{op}: only one dimension can be inferred, got {list(shape)}")
    if any(n < -1 for n in shape):
        raise ShapeError(f"{op}: invalid shape dimension in {list(shape)}")
    known = math.prod(n for n in shape if n != -1)
    if unknown:
        if known == 0 or numel % known:
            raise ShapeError(f"{op}: shape '{list(shape)}' is invalid for input of size {numel}")
        return tuple(numel // known if n == -1 else n for n in shape)
    if known != numel:
        raise ShapeError(f"{op}: shape '{list(shape)}' is invalid for input of size {numel}")
    return tuple(shape)


@method()
def view(self, *shape, dtype=None):
    """View the memory with another shape (or, given a dtype, as another element type).  Raises ShapeError if it needs a copy."""
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], (dtypes.dtype, type))):
        return _view_dtype(self, dtypes.as_dtype(dtype or shape[0]))
    shape = infer_size(sizes(shape, "view"), self.numel(), "view")
    return run_view(view_ops.view_as, self, (shape,))


def _view_dtype(x, dtype):
    """View x's bytes as elements of dtype; if the element size differs, the last dimension becomes longer or shorter."""
    s, old, new = x._spec, x.dtype.itemsize, dtype.itemsize
    shape, strides, offset = tuple(s.shape), s.strides, x._offset
    if old != new:
        what = f"to view {x.dtype.name} as {dtype.name} (different element sizes)"
        if not s.ndim:
            raise ShapeError(f"view: self.dim() cannot be 0 {what}; reshape(1) it first")
        if strides[-1] != 1:
            raise ShapeError(f"view: self.stride(-1) must be 1 {what}, but got {strides[-1]}; use contiguous()")
        _check_multiples(x, new // old, what)
        shape = (*shape[:-1], shape[-1] * old // new)
        strides, offset = (*(n * old // new for n in strides[:-1]), 1), offset * old // new
    return Tensor._make(x._storage, spec(shape, strides, dtype, x.device), offset)


def _check_multiples(x, n, what):
    """Raise ShapeError unless x's last size, offset and strides are multiples of n; n is 0 if the elements get smaller."""
    places = [("size(-1)", x.shape[-1]), ("storage_offset()", x._offset)]
    for name, value in (*places, *((f"stride({d})", st) for d, st in enumerate(x.stride()[:-1]))) if n else ():
        if value % n:
            raise ShapeError(f"view: self.{name} must be divisible by {n} {what}, but got {value}")


@function(out=False)
def reshape(input, *shape):
    """The tensor with another shape: a view where the layout allows it, else a copy."""
    s = input._spec
    shape = infer_size(sizes(shape, "reshape"), input.numel(), "reshape")
    if view_ops.view_strides(s.shape, s.strides, plain(shape) if s.contiguous else shape) is None:
        input = contiguous(input)
    return run_view(view_ops.view_as, input, (shape,))


@method()
def view_as(self, other):
    """view(other.shape)."""
    return self.view(other.shape)


@method()
def reshape_as(self, other):
    """reshape(other.shape)."""
    return reshape(self, other.shape)


@method()
def contiguous(self, memory_format=contiguous_format):
    """The tensor itself if it has the memory format (row-major by default), else a copy that does."""
    if memory_format is contiguous_format and self._spec.contiguous:
        return self
    return self if self.is_contiguous(memory_format) else clone(self, memory_format=memory_format)


@function(out=False)
def clone(input, *, memory_format=preserve_format):
    """A copy, by default in the input's own memory format."""
    if memory_format is preserve_format or input.is_contiguous(memory_format):
        return run_elementwise(elementary.copy, (input,))
    return _laid_copy(input, strides=format_strides(input.shape, memory_format, "clone"))


@composite("contiguous_copy", batch="inside", public=False, ref=lambda x, strides: np.copy(x), vjp=(lambda g, y, x, strides: g,),
           samples=lambda rng: [((rng.random((3, 4)),), {"strides": (1, 3)})])
def _laid_copy(x, *, strides):
    """A copy of x with its dimensions in another order in memory."""
    return x.new_empty_strided(x.shape, strides).copy_(x)


@function(out=False)
def permute(input, *dims):
    """Reorder the dimensions."""
    dims = sizes(dims, "permute")
    if len(dims) != input.ndim:
        raise ShapeError(f"permute: the number of dims in the tensor ({input.ndim}) and in the order {list(dims)} differ")
    order = tuple(normalize_dim(d, input.ndim, "permute") for d in dims)
    if len(set(order)) < len(order):
        raise ShapeError(f"permute: duplicate dims are not allowed: {list(dims)}")
    return run_view(view_ops.permute, input, (order,))


@function("swapdims", inplace="viewing", out=False)
def transpose(input, dim0, dim1):
    """Exchange two dimensions."""
    n = input._spec.ndim
    a, b = normalize_dim(dim0, n, "transpose"), normalize_dim(dim1, n, "transpose")
    order = list(range(n))
    if n:
        order[a], order[b] = b, a
    return run_view(view_ops.permute, input, (tuple(order),))


@function(inplace="viewing", out=False)
def swapaxes(input, axis0, axis1):
    """A view with two dimensions exchanged, of a tensor of any shape and dtype: transpose, with NumPy's names.

    Raises DimensionError for a dimension that the tensor has not.  Source: NumPy's swapaxes.

        >>> ct.swapaxes(ct.ones(2, 3), 0, 1).shape
        cltensor.Size([3, 2])
    """
    return transpose(input, axis0, axis1)


@function(inplace="viewing", out=False)
def t(input):
    """The transpose of a matrix; vectors and 0-d tensors stay as they are."""
    if input.ndim > 2:
        raise ShapeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D; use transpose or .mT")
    return transpose(input, 0, 1) if input.ndim == 2 else run_view(view_ops.permute, input, (tuple(range(input.ndim)),))


@function("moveaxis", out=False)
def movedim(input, source, destination):
    """Move dimensions to other places; the rest keep their order."""
    one = hasattr(source, "__index__")
    source, destination = ((source,), (destination,)) if one else (tuple(source), tuple(destination))
    if len(source) != len(destination):
        raise ShapeError(f"movedim: source {source} and destination {destination} must have the same number of dims")
    src = [normalize_dim(d, input.ndim, "movedim") for d in source]
    dst = [normalize_dim(d, input.ndim, "movedim") for d in destination]
    if len(set(src)) < len(src) or len(set(dst)) < len(dst):
        raise ShapeError(f"movedim: repeated dim in source {source} or destination {destination}")
    rest = iter([d for d in range(input.ndim) if d not in src])
    placed = dict(zip(dst, src, strict=True))
    return permute(input, tuple(placed[i] if i in placed else next(rest) for i in range(input.ndim)))


@function(inplace="viewing", out=False)
def squeeze(input, dim=None):
    """Remove dimensions of size 1 (only those in dim, if given)."""
    dims = () if dim == () else normalize_dims(dim, input.ndim, "squeeze")
    return _index(input, [0 if i in dims and n == 1 else (0, 1, n) for i, n in enumerate(input.shape)])


@function(inplace="viewing", out=False)
def unsqueeze(input, dim):
    """Add a new dimension of size 1 at dim."""
    n = input._spec.ndim + 1
    if not -n <= dim < n:
        raise DimensionError(f"unsqueeze: Dimension out of range: dim is {dim}, expected to be in [{-n}, {n - 1}]")
    parts = [(0, 1, k) for k in input.shape]
    parts.insert(dim % n, None)
    return _index(input, parts)


def _index(x, parts):
    return run_view(view_ops.basic_index, x, (tuple(parts),))


@method()
def expand(self, *size, implicit=False):
    """Repeat dimensions of size 1 without a copy; -1 keeps a size.  implicit: no matter, as in PyTorch."""
    wanted = sizes(size, "expand")
    pad = len(wanted) - self._spec.ndim
    if pad < 0:
        raise ShapeError(f"expand: the number of sizes provided ({len(wanted)}) must be greater or equal to the number of "
                         f"dimensions in the tensor ({self._spec.ndim})")
    if any(n < 0 and (n != -1 or i < pad) for i, n in enumerate(wanted)):
        raise ShapeError(f"expand: invalid size in {list(wanted)}; -1 is only allowed for an existing dimension")
    full = tuple(self.shape[i - pad] if n == -1 else n for i, n in enumerate(wanted))
    return run_view(view_ops.expand, self, (full,))


@method()
def expand_as(self, other):
    """expand(other.shape)."""
    return self.expand(other.shape)


@function(out=False)
def broadcast_to(input, size):
    """Broadcast input to a shape, without a copy."""
    return input.expand(size)


@function(method=False, out=False)
def broadcast_tensors(*tensors) -> tuple:
    """Broadcast all tensors to their common shape."""
    shape = broadcast_shapes(*(x.shape for x in tensors), op="broadcast_tensors")
    return tuple(x.expand(shape) for x in tensors)


@function(out=False)
def flatten(input, start_dim=0, end_dim=-1):
    """Merge dimensions start_dim to end_dim into one."""
    if input.ndim == 0:
        return input.reshape(1)
    a, b = normalize_dim(start_dim, input.ndim, "flatten"), normalize_dim(end_dim, input.ndim, "flatten")
    if a > b:
        raise ShapeError(f"flatten() has invalid args: start_dim ({start_dim}) cannot come after end_dim ({end_dim})")
    shape = input.shape
    return input if a == b else reshape(input, (*shape[:a], math.prod(shape[a:b + 1]), *shape[b + 1:]))


@function(out=False)
def ravel(input):
    """All elements in one dimension; a copy unless the tensor is contiguous."""
    return contiguous(input).reshape(-1)


@function(out=False)
def unflatten(input, dim, sizes):
    """Split one dimension into several."""
    d = normalize_dim(dim, input.ndim, "unflatten")
    inner = infer_size(tuple(sizes), input.shape[d], "unflatten")
    return input.reshape((*input.shape[:d], *inner, *input.shape[d + 1:]))


def bounds(s, n):
    """(start, stop, step) of a slice of n elements, as slice.indices gives them for steps forward."""
    if type(n) is int:
        return s.indices(n)
    start, stop = (end if given is None else min(max(given + n if given < 0 else given, 0), n)
                   for given, end in ((s.start, 0), (s.stop, n)))
    return start, stop, 1 if s.step is None else s.step


@function(out=False)
def narrow(input, dim, start, length):
    """A view of `length` elements of a dimension, from `start` on."""
    d = normalize_dim(dim, input._spec.ndim, "narrow")
    if not input._spec.ndim:
        raise DimensionError("narrow() cannot be applied to a 0-dim tensor.")
    n = input.shape[d]
    if isinstance(start, TensorBase) and (start.ndim or start.dtype.category != "int"):
        raise ShapeError(f"narrow: start must be an 0-dim integral Tensor, got {start.dtype.name} {list(start.shape)}")
    start = count("narrow", "start", start)
    first = start + n if start < 0 else start
    if length < 0 or not 0 <= first <= n or first + length > n:
        raise DimensionError(f"narrow: start ({start}) + length ({length}) exceeds dimension size ({n})")
    return _index(input, [(first, 1, length) if i == d else (0, 1, k) for i, k in enumerate(input.shape)])


@function(contiguous=True)
def narrow_copy(input, dim, start, length):
    """narrow, as a copy instead of a view."""
    return narrow(input, dim, start, length).clone()


@function(out=False)
def select(input, dim, index):
    """A view at one index of a dimension, without that dimension."""
    if not input._spec.ndim:
        raise DimensionError("select() cannot be applied to a 0-dim tensor.")
    d = normalize_dim(dim, input._spec.ndim, "select")
    n = input.shape[d]
    if not -n <= index < n:
        raise DimensionError(f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {d}")
    return _index(input, [index % n if i == d else (0, 1, k) for i, k in enumerate(input.shape)])


@function(inplace="viewing", out=False)
def as_strided(input, size, stride, storage_offset=None):
    """A view of the storage with any shape and strides.  Raises ShapeError if it reaches past the storage's end."""
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride) or any(n < 0 for n in (*size, *stride)):
        raise ShapeError(f"as_strided: sizes {size} and strides {stride} must be as many and not negative")
    start = input._offset if storage_offset is None else storage_offset
    last = start + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if math.prod(size) and (start < 0 or (last + 1) * input.itemsize > observed((input._storage.extent,))[0]):
        raise ShapeError(f"as_strided: sizes {size}, strides {stride}, storage offset {start} require a storage of "
                         f"{(last + 1) * input.itemsize} bytes, but it has {input._storage.extent}")
    return run_view(strided.as_strided, input, (size, stride, start - input._offset))


@method()
def resize_(self, *sizes, memory_format=contiguous_format):
    """Change the shape in place; the storage grows if it must, and keeps its contents."""
    if self.requires_grad:
        raise AutogradError("resize_: cannot resize variables that require grad; resize a detach()ed one")
    shape = _shape(sizes, "resize_")
    return resize(self, shape, format_strides(shape, memory_format, "resize_"))


@method()
def resize_as_(self, the_template, memory_format=None):
    """resize_ to another tensor's shape; contiguous unless memory_format says otherwise."""
    return self.resize_(the_template.shape, memory_format=memory_format or contiguous_format)


# --- joining and splitting -------------------------------------------------------------------------------------------


@method()
def sum_to_size(self, *size):
    """Sum over the dimensions that were broadcast from `size`."""
    size = sizes(size, "sum_to_size")
    if broadcast_dims(size, self._spec.shape) is None:
        raise ShapeError(f"sum_to_size: size {list(size)} is not expandable to size {list(self.shape)}")
    return self._summed_to(size)


@method("_summed_to")
def _summed_to(x, size):
    """Sum x over the dimensions that were broadcast from `size`."""
    dims = broadcast_dims(size, x._spec.shape)
    lead = x._spec.ndim - len(size)
    if not dims and size:
        return x
    if len(dims) == lead:
        return run_planned(sum_, (x,), (dims, False))
    out = run_planned(sum_, (x,), (dims, True))
    return out.reshape(size) if lead else out
