"""Indexing: read and write x[...] with ints, slices, None, ellipsis, masks and index tensors."""

import numpy as np

from ...base import calls, dtypes
from ...base.errors import ArgumentError, ArgumentTypeError, DimensionError, DTypeError, ShapeError
from ...base.observed_sizes import as_index
from ...base.shapes import broadcast_shapes, contiguous_strides, normalize_dim
from ...dispatch.autocast import PROMOTE_ON_CPU, PROMOTE_ON_GPU, autocasts
from ...dispatch.run_elementwise import run_elementwise
from ...dispatch.run_planned import run_planned, run_view
from ...dispatch.tensor_base import TensorBase
from ...ops.index import indexing, view_ops
from ...ops.pointwise.elementary import where_op
from ..api.creation import tensor
from ..core.public_api import function, method
from ..math.arithmetic import as_stored, convert
from ..shape.shape import bounds

_MASKS = (dtypes.bool_, dtypes.uint8)
_INDICES = (dtypes.int64, dtypes.int32, *_MASKS)
_LONGEST_TUPLE = 32  # a list this long is never a tuple of indices, as in PyTorch and old NumPy


def _items(index):
    """The parts of an index.  A short list that holds anything but numbers counts as a tuple of indices, as in PyTorch."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and len(index) < _LONGEST_TUPLE and any(map(_no_number, index)):
        return index
    return (index,)


def _no_number(item):
    return item is None or item is Ellipsis or isinstance(item, (slice, list, tuple, range, np.ndarray, TensorBase))


def _entry(item, device):
    """Convert one part of an index to an int, slice, None, Ellipsis, bool, or index tensor."""
    if item is None or item is Ellipsis or isinstance(item, (bool, int)):
        return item
    if isinstance(item, slice):
        return _bounds(item)
    if isinstance(item, TensorBase):
        return _tensor_entry(item)
    if isinstance(item, (list, tuple, range, np.ndarray)):
        made = tensor(item, device=device)
        return _tensor_entry(made.long() if made.is_floating_point() else made)
    if isinstance(item, np.bool_):
        return bool(item)
    if hasattr(item, "__index__"):
        return item.__index__()
    raise (ArgumentTypeError if isinstance(item, str) else DimensionError)(
        f"only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
        f"{calls.kind(item)})")


def _tensor_entry(item):
    if item.ndim == 0 and item.dtype.category == "int" and item.dtype is not dtypes.uint8 and not hasattr(item, "_level"):
        return int(item)
    if item.dtype not in _INDICES:
        raise DimensionError(f"tensors used as indices must be long, int, byte or bool tensors, got {item.dtype.name}")
    return item


def _parsed(x, index):
    """Parse into (basic parts, [(position in the basic result, index tensor)]); parts: see view_ops._slice_rule."""
    if type(index) is int and x._spec.ndim:  # the commonest case
        n, *rest = x.shape
        return (_position(index, n, 0), *[(0, 1, m) for m in rest]), ()
    items = [_entry(i, x.device) for i in _items(index)]
    used = sum(map(_consumes, items))
    if used > x.ndim:
        raise DimensionError(f"too many indices for tensor of dimension {x.ndim}: got {used}")
    if not any(i is Ellipsis for i in items):
        items.append(Ellipsis)
    parts, advanced, d, out = [], [], 0, 0
    for item in items:
        wide = x.ndim - used if item is Ellipsis else _consumes(item)
        if d + wide > x.ndim and item is not Ellipsis:
            raise DimensionError(f"too many indices for tensor of dimension {x.ndim}: what stands before a second ellipsis "
                                 "(`...`) takes all of them")
        sizes = x.shape[d:d + wide]
        if isinstance(item, int) and not isinstance(item, bool):
            parts.append(_position(item, sizes[0], d))
        else:
            if isinstance(item, slice):
                added = [_slice(item, sizes[0])]
            elif item is None or not (wide or item is Ellipsis):  # a 0-d mask gets a dimension of size 1 of its own
                added = [None]
            else:
                added = [(0, 1, n) for n in sizes]
            if isinstance(item, (bool, TensorBase)):
                advanced.append((out, item if wide else _one_mask(item, x.device)))
            parts += added
            out += len(added)
        d += wide
    return tuple(parts), advanced


def _position(item, n, d):
    if not -n <= item < n:
        raise DimensionError(f"index {item} is out of bounds for dimension {d} with size {n}")
    return item % n


def _one_mask(item, device):
    return item.reshape(1) if isinstance(item, TensorBase) else tensor([item], device=device)


def _consumes(item):
    """How many dimensions of the indexed tensor a part of an index takes; 0 for an ellipsis."""
    if isinstance(item, TensorBase):
        return item.ndim if item.dtype in _MASKS else 1
    return int(isinstance(item, slice) or (isinstance(item, int) and not isinstance(item, bool)))


def _bounds(s):
    """Check a slice: ints or None.  Raises ArgumentTypeError for other parts, ArgumentError unless it goes forward."""
    start, stop, step = s.start, s.stop, s.step
    if not (start is None or type(start) is int) or not (stop is None or type(stop) is int) or step is not None:
        start, stop, step = map(_bound, (start, stop, step))
    if step is not None and step <= 0:
        raise ArgumentError(f"slice step must be positive, got {step}; use flip for the reverse order")
    return slice(start, stop, step)


def _bound(value):
    if value is not None and not hasattr(value, "__index__"):
        raise ArgumentTypeError(f"slice indices must be integers or None or have an __index__ method, got {calls.kind(value)}")
    return None if value is None else as_index(value)


def _slice(s, n):
    start, stop, step = bounds(s, n)
    return start, step, max(0, -(-(stop - start) // step))


def _masks_as_indices(x, advanced):
    """Replace every mask of the advanced parts by the indices of its True elements: [(dimension of x, index tensor)]."""
    found = []
    for d, item in advanced:
        if item.dtype in _MASKS:
            for i, n in enumerate(item.shape):
                if n != x.shape[d + i]:
                    raise DimensionError(f"The shape of the mask {list(item.shape)} at index {i} does not match the shape of the "
                                         f"indexed tensor {list(x.shape)} at index {d + i}")
            found += [(d + i, part) for i, part in enumerate(item.nonzero(as_tuple=True))]
        else:
            found.append((d, item if item.dtype in (dtypes.int64, dtypes.int32) else item.long()))
    return found


class _Advanced:
    """An index by tensors, as a selection along one flattened dimension.

    Move the indexed dimensions to the front (if they are neighbours, to the place of the first) and flatten them; `flat` holds
    the position of each selected element there.
    """

    def __init__(self, x, pairs):
        self.dims = [d for d, _ in pairs]
        shapes = [tuple(i.shape) for _, i in pairs]
        try:
            self.shape = broadcast_shapes(*shapes, op="index")
        except ShapeError as e:
            raise DimensionError("shape mismatch: indexing tensors could not be broadcast together with shapes "
                                 f"{', '.join(str(list(s)) for s in shapes)} ({e})") from None
        neighbours = self.dims == list(range(self.dims[0], self.dims[0] + len(self.dims)))
        self.at = self.dims[0] if neighbours else 0
        sizes = [x.shape[d] for d in self.dims]
        if 0 in sizes and 0 not in self.shape:
            raise DimensionError(f"index is out of bounds for dimension {self.dims[sizes.index(0)]} with size 0")
        flat = None
        for (_, index), n, step in zip(pairs, sizes, contiguous_strides(sizes), strict=True):
            flat = index if len(pairs) == 1 else indexing.flat_index(0 if flat is None else flat, index.long(), n=n, step=step)
        self.flat = flat.expand(self.shape).reshape(-1)

    def flattened(self, x):
        """x with the indexed dimensions merged into one, at `at`."""
        x = x.movedim(self.dims, list(range(self.at, self.at + len(self.dims))))
        return x if len(self.dims) == 1 else x.flatten(self.at, self.at + len(self.dims) - 1)

    def result_shape(self, x):
        """The shape of the selection."""
        rest = [n for d, n in enumerate(x.shape) if d not in self.dims]
        return (*rest[:self.at], *self.shape, *rest[self.at:])


def getitem(x, index):
    """x[index]."""
    parts, advanced = _parsed(x, index)
    out = run_view(view_ops.basic_index, x, (parts,))
    if not advanced:
        return out
    advanced = _masks_as_indices(out, advanced)
    if len(advanced) == 1 and advanced[0][1].ndim == 1:
        return _selected(out, *advanced[0])
    a = _Advanced(out, advanced)
    return _selected(a.flattened(out), a.at, a.flat).reshape(a.result_shape(out))


def _selected(x, dim, index):
    """index_select(x, dim, index); negative indices count from the end."""
    if x.ndim and not x.shape[dim] and index.numel():
        raise DimensionError(f"index is out of bounds for dimension {dim} with size 0")
    return run_planned(indexing.index_select, (x, index), (dim, True))


def setitem(x, index, value):
    """x[index] = value."""
    parts, advanced = _parsed(x, index)
    target = run_view(view_ops.basic_index, x, (parts,))
    if not isinstance(value, TensorBase):
        value = tensor(value, dtype=x.dtype, device=x.device) if dtypes.category_of(value) is None else _limited(value, x.dtype)
    if index is False:
        return
    if not advanced or index is True:
        target.fill_(value) if not isinstance(value, TensorBase) else target.copy_(_leading_ones_dropped(value, target))
        return
    if len(advanced) == 1 and advanced[0][1].dtype is dtypes.bool_ and _is_one(value):
        d, mask = advanced[0]
        target.masked_fill_(_placed(mask, d, target), value.reshape(()) if isinstance(value, TensorBase) else value)
        return
    _put_at(target, advanced, value, accumulate=False)


def _is_one(value):
    return not isinstance(value, TensorBase) or value._spec.numel == 1


def _limited(value, dtype):
    """Convert a number to what dtype stores: a float beyond the range becomes infinite."""
    if dtype.is_floating_point and not isinstance(value, complex) and abs(value) > dtypes.finfo(dtype).max:
        return float("inf") if value > 0 else -float("inf")
    return dtypes.stored(value, dtype, "x[index] = value")


def _placed(mask, d, target):
    if tuple(mask.shape) != tuple(target.shape[d:d + mask.ndim]):
        raise DimensionError(f"The shape of the mask {list(mask.shape)} does not match the shape of the indexed tensor "
                             f"{list(target.shape)} from dimension {d} on")
    return mask.reshape((1,) * d + tuple(mask.shape) + (1,) * (target.ndim - d - mask.ndim))


def _leading_ones_dropped(value, target):
    while value.ndim > target.ndim and value.shape[0] == 1:
        value = value[0]
    return value


def _put_at(x, advanced, value, accumulate):
    """put, at indices or masks."""
    if x.is_meta and any(item.dtype in _MASKS for _, item in advanced):
        return x.copy_(x.detach())  # which places is unknown
    return put(x, _masks_as_indices(x, advanced), value, accumulate)


def put(x, pairs, value, accumulate):
    """Write value (broadcast) into x at index tensors, in place."""
    a = _Advanced(x, pairs)
    shape = a.result_shape(x)
    if not isinstance(value, TensorBase):
        number = dtypes.category_of(value) is not None
        value = tensor(as_stored(value, x.dtype, "index_put_") if number else value, dtype=x.dtype, device=x.device)
    if value.dtype is not x.dtype:
        raise DTypeError(f"index_put_: Index put requires the source and destination dtypes match, got {x.dtype.name} for the "
                         f"destination and {value.dtype.name} for the source; convert one with .to()")
    value = _leading_ones_dropped(value, x.new_empty(shape) if value.ndim > len(shape) else value)
    rest = [n for d, n in enumerate(x.shape) if d not in a.dims]
    source = value.expand(shape).reshape((*rest[:a.at], a.flat.shape[0], *rest[a.at:]))
    combine = "add" if accumulate else "set"
    moved = a.flattened(x)
    done = run_planned(indexing.index_combine, (moved, a.flat, source), (a.at, combine, True))
    if len(a.dims) > 1:
        done = done.unflatten(a.at, [x.shape[d] for d in a.dims])
    x.copy_(done.movedim(list(range(a.at, a.at + len(a.dims))), a.dims))
    return x


# --- along one dimension ---------------------------------------------------------------------------------------------


def _dim(x, dim, name):
    return normalize_dim(dim, x._spec.ndim, name)


@function(apart=True, exact=True)
def gather(input, dim, index, *, sparse_grad=False):
    """out[i][j] = input[index[i][j]][j] (for dim 0); index has input's number of dimensions.

    Raises DimensionError, where values are read, for an index out of range; a negative one is.
    """
    if not index.numel():
        return input.reshape(-1)[:0].reshape(index.shape).clone()
    return run_planned(indexing.gather, (input, index), (_dim(input, dim, "gather"), False))


@function(apart=True, exact=True)
def index_select(input, dim, index):
    """The slices of input at a vector of indices along dim.

    Raises DimensionError for indices into a dimension of size 0 and, where values are read, for one out of range; a negative one
    is.
    """
    dim = _dim(input, dim, "index_select")
    if input.ndim and not input.shape[dim] and index.numel():
        raise DimensionError(f"index_select(): index is out of bounds for dimension {dim} of shape {list(input.shape)}, which has "
                             "no element to select: self indexing axis dim should be positive")
    return run_planned(indexing.index_select, (input, index), (dim, False))


def _scatter(input, dim, index, src, combine):
    if not isinstance(src, TensorBase):
        src = input.new_full((1,) * index.ndim, src).expand(index.shape)
    return run_planned(indexing.scatter, (input, index, src), (_dim(input, dim, "scatter"), combine, False))


_REDUCE = {None: "set", "add": "add", "multiply": "prod"}


@function(inplace="writing")
def scatter(input, dim, index, src=None, *, value=None, reduce=None):
    """Write src (a tensor or number) to a copy of input at index along dim; reduce "add" or "multiply" combines instead.

    Raises DimensionError, where values are read, for an index out of range; a negative one is.
    """
    if reduce not in _REDUCE:
        raise ArgumentError(f"scatter(): reduce argument must be either add or multiply, got {reduce!r}")
    return _scatter(input, dim, index, value if src is None else src, _REDUCE[reduce])


@function(inplace="writing")
@autocasts(PROMOTE_ON_GPU)
def scatter_add(input, dim, index, src):
    """Add src to a copy of input at index along dim; the order of additions is fixed.  Raises as scatter."""
    return _scatter(input, dim, index, src, "add")


@function(inplace="writing")
def index_add(input, dim, index, source, *, alpha=1):
    """Add slices of source (times alpha) to a copy of input at a vector of indices along dim, in order.

    Raises DimensionError, where values are read, for an index out of range; a negative one is.
    """
    source = source if alpha == 1 else source * alpha
    return run_planned(indexing.index_combine, (input, index, source), (_dim(input, dim, "index_add"), "add", False))


@function(inplace="writing")
@autocasts(PROMOTE_ON_CPU)
def index_copy(input, dim, index, source):
    """Write slices of source to a copy of input at a vector of indices along dim.  Raises as index_add."""
    return run_planned(indexing.index_combine, (input, index, source), (_dim(input, dim, "index_copy"), "set", False))


@function(inplace="writing", out=False)
def index_fill(input, dim, index, value):
    """Write one value to a copy of input at a vector of indices along dim; negative ones count from the end.

    Raises DimensionError for an index out of range, where values are read.
    """
    d = _dim(input, dim, "index_fill")
    if isinstance(value, TensorBase) and value.ndim:
        raise ShapeError(f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s).")
    shape = (*input.shape[:d], index.numel(), *input.shape[d + 1:]) if input.ndim else ()
    mask = input.new_zeros((1,) * d + input.shape[d:d + 1] + (1,) * (input.ndim - d - 1), dtype=dtypes.bool_)
    ones = mask.new_ones(()).expand([k if i == d else 1 for i, k in enumerate(shape)])
    chosen = run_planned(indexing.index_combine, (mask, index, ones), (d, "set", True))
    value = convert(value, input.dtype) if isinstance(value, TensorBase) else as_stored(value, input.dtype, "index_fill")
    return run_elementwise(where_op, (chosen, value, input), dtype=input.dtype)


def _pairs(indices):
    if not isinstance(indices, (tuple, list)):
        raise ArgumentTypeError(f"index_put: indices must be a tuple of tensors, got {calls.kind(indices)}")
    return list(enumerate(indices))


@method()
def index_put_(self, indices, values, accumulate=False):
    """Write values at index tensors, one per dimension; accumulate adds instead."""
    return _put_at(self, _pairs(indices), values, accumulate)


@function(out=False)
@autocasts(PROMOTE_ON_GPU)
def index_put(input, indices, values, accumulate=False):
    """A copy of input with values written at index tensors; see index_put_."""
    return input.clone().index_put_(indices, values, accumulate)


@method("__getitem__")
def _getitem(self, index):
    return getitem(self, index)


@method("__setitem__")
def _setitem(self, index, value):
    setitem(self, index, value)


@method("__iter__")
def _iter(self):
    if not self.ndim:
        raise ArgumentTypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


@method("__contains__")
def _contains(self, element):
    if not isinstance(element, TensorBase) and dtypes.category_of(element) is None:
        raise ArgumentTypeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}")
    return bool((self == element).any())
