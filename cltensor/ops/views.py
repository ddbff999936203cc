"""Every view op: rules on shapes and strides, with the inverse view as gradient."""

import math

import numpy as np

from ..base.errors import ShapeError
from ..base.shapes import contiguous_strides
from .composite import composite
from .view import view


def view_strides(shape, strides, wanted):
    """Strides that show a tensor of (shape, strides) as `wanted` without a copy, or None when there are none."""
    if math.prod(shape) == 0:
        return contiguous_strides(wanted)
    runs = []  # (size, innermost stride) of maximal stretches of memory in one run
    for n, s in zip(shape, strides, strict=True):
        if n == 1:
            continue
        if runs and runs[-1][1] == n * s:
            runs[-1] = (runs[-1][0] * n, s)
        else:
            runs.append((n, s))
    result, i = [], len(wanted) - 1
    for size, step in reversed(runs):
        while size > 1:
            if i < 0:
                return None
            n = wanted[i]
            if n != 1 and (n == 0 or size % n):
                return None
            result.append(step)
            step, size, i = step * n, size // n, i - 1
    while i >= 0:
        if wanted[i] != 1:
            return None
        result.append(result[-1] if result else 1)
        i -= 1
    return tuple(reversed(result))


def _view_rule(x, shape):
    strides = view_strides(x.shape, x.strides, shape)
    if strides is None:
        raise ShapeError(f"view: view size {list(shape)} is not compatible with input tensor's size {list(x.shape)} and "
                         f"stride {list(x.strides)} (at least one dimension spans across two contiguous subspaces). "
                         "Use .reshape(...) instead")
    return shape, strides, 0


def _expand_rule(x, shape):
    pad = len(shape) - x.ndim
    strides = [0] * pad
    for i, (n, s) in enumerate(zip(x.shape, x.strides, strict=True)):
        wanted = shape[pad + i]
        if n != wanted and n != 1:
            raise ShapeError(f"expand: The expanded size of the tensor ({wanted}) must match the existing size ({n}) at "
                             f"non-singleton dimension {pad + i}. Target sizes: {list(shape)}. Tensor sizes: {list(x.shape)}")
        strides.append(s if n == wanted else 0)
    return shape, tuple(strides), 0


def _inverse(dims):
    inverse = [0] * len(dims)
    for i, d in enumerate(dims):
        inverse[d] = i
    return tuple(inverse)


def _one(size, /, **attrs):
    """Samples: one array of a size, with these attributes."""
    return lambda rng: [((rng.standard_normal(size),), attrs)]


view_as = view("view_shape", _view_rule, public=False, vjp=(lambda g, y, x, shape: g.reshape(x.shape),),
               ref=np.reshape, samples=_one((3, 4), shape=(2, 1, 6)),
               doc="The same memory as another shape.")
expand = view("expand_to", _expand_rule, public=False, vjp=(lambda g, y, x, shape: g,),
              ref=np.broadcast_to, samples=_one((3, 1), shape=(2, 3, 4)),
              doc="Dimensions of size 1 repeated without a copy.")
permute = view("permute_dims", lambda x, dims: (tuple(x.shape[d] for d in dims), tuple(x.strides[d] for d in dims), 0),
               public=False, vjp=(lambda g, y, x, dims: g.permute(_inverse(dims)),), ref=lambda x, dims: np.transpose(x, dims),
               samples=_one((2, 3, 4), dims=(2, 0, 1)), doc="Dimensions in another order.")


def _slice_rule(x, index):
    """index: per dimension an int, a (start, step, length) triple, or None for a new dimension of size 1."""
    shape, strides, offset, d = [], [], 0, 0
    for part in index:
        if part is None:
            shape.append(1)
            strides.append(0 if d >= x.ndim else x.strides[d] * x.shape[d])
            continue
        if isinstance(part, int):
            offset += part * x.strides[d]
        else:
            start, step, length = part
            offset += start * x.strides[d] if length else 0
            shape.append(length)
            strides.append(x.strides[d] * step)
        d += 1
    return tuple(shape), tuple(strides), offset


def _basic_index(x, index):
    return x[tuple(slice(p[0], p[0] + p[1] * p[2], p[1]) if isinstance(p, tuple) else p for p in index)]


def _basic_index_backward(grad, shape, index):
    full = np.zeros(shape, grad.dtype)
    _basic_index(full, index)[...] = grad
    return full


_INDEX = ((1, 2, 2), None, 0, (0, 1, 4))

basic_index = view("basic_index", _slice_rule, public=False, ref=_basic_index, samples=_one((5, 3, 4), index=_INDEX),
                   vjp=(lambda g, y, x, index: basic_index_backward(g, tuple(x.shape), index),),
                   doc="Integers, slices and new dimensions.")


@composite("basic_index_backward", batch="inside", public=False, ref=_basic_index_backward,
           samples=_one((2, 1, 4), shape=(5, 3, 4), index=_INDEX),
           vjp=(lambda g, y, grad, shape, index: basic_index(g, index),))
def basic_index_backward(grad, *, shape, index):
    """grad laid into zeros of `shape` at a basic index."""
    full = grad.new_zeros(shape)
    basic_index(full, index).copy_(grad)
    return full


def _strided_rule(x, size, stride, offset):
    return size, stride, offset


def _as_strided(x, size, stride, offset):
    flat = np.ascontiguousarray(x).reshape(-1)[offset:]
    return np.lib.stride_tricks.as_strided(flat, size, [s * flat.itemsize for s in stride])


def _as_strided_backward(grad, shape, strides, size, stride, offset):
    full = np.zeros(shape, grad.dtype)
    for index in np.ndindex(*size):
        full.reshape(-1)[offset + int(np.dot(index, stride))] += grad[index]
    return full


def _strided_scatter(x, part, size, stride, offset):
    full = np.array(x)
    _as_strided(full, size, stride, offset)[...] = part
    return full


_STRIDED, _OVERLAPPING = ({"size": (2, 3), "stride": s, "offset": 1} for s in ((6, 2), (1, 1)))

as_strided = view("as_strided_view", _strided_rule, public=False, ref=_as_strided,
                  samples=lambda rng: [((rng.standard_normal((3, 4)),), a) for a in (_STRIDED, _OVERLAPPING)],
                  vjp=(lambda g, y, x, size, stride, offset: as_strided_backward(
                      g, tuple(x.shape), x.strides, size, stride, offset),),
                  doc="Any strides over the same memory; offset is relative to the input's first element.")


def overlaps(size, stride):
    """Whether two indices of (size, stride) may be one place; true also for the few layouts that are hard to tell."""
    steps = sorted((s, n) for n, s in zip(size, stride, strict=True) if n > 1)
    reach = 0
    for s, n in steps:
        if s <= reach:
            return True
        reach += s * (n - 1)
    return False


def _extent(shape, strides):
    """How many elements of memory (shape, strides) spans."""
    return 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if math.prod(shape) else 0


def _frame(shape, strides, size, stride, offset):
    """The elements, from the first to before the last, that (shape, strides) and (size, stride) from offset on span together.

    A view of a slice may show what lies before or behind the slice in its storage.
    """
    shown = _extent(size, stride)
    return min(0, offset if shown else 0), max(_extent(shape, strides), offset + shown if shown else 0)


@composite("as_strided_backward", batch="inside", public=False, ref=_as_strided_backward,
           samples=lambda rng: [((rng.standard_normal((2, 3)),), {"shape": (3, 4), "strides": (4, 1), **a})
                                for a in (_STRIDED, _OVERLAPPING)],
           vjp=(lambda g, y, grad, shape, strides, size, stride, offset: shown(g, shape, strides, size, stride, offset),))
def as_strided_backward(grad, *, shape, strides, size, stride, offset):
    """grad added into zeros laid out as (shape, strides), at the places as_strided(size, stride, offset) shows."""
    first, last = _frame(shape, strides, size, stride, offset)
    flat = grad.new_zeros(last - first)
    if not overlaps(size, stride):
        as_strided(flat, size, stride, offset - first).copy_(grad)
    else:
        places = as_strided(grad.new_arange(last - first), size, stride, offset - first)
        flat.index_add_(0, places.reshape(-1), grad.reshape(-1))
    full = as_strided(flat, shape, strides, -first)
    return full if last - first == _extent(shape, strides) else laid(full, shape, strides)


def _framed(x, shape, strides, first, last):
    """x in the layout (shape, strides) within flat memory from first to before last, zero around it."""
    flat = x.new_zeros(last - first)
    as_strided(flat, shape, strides, -first).copy_(x)
    return flat


def shown(x, shape, strides, size, stride, offset):
    """as_strided(size, stride, offset) of x laid out as (shape, strides), with zeros before and behind it."""
    first, last = _frame(shape, strides, size, stride, offset)
    if last - first == _extent(shape, strides):
        dense = x if tuple(x.shape) == tuple(shape) and tuple(x.stride()) == tuple(strides) else laid(x, shape, strides)
        return as_strided(dense, size, stride, offset)
    return as_strided(_framed(x, shape, strides, first, last), size, stride, offset - first)


def laid(x, shape, strides):
    """x copied into the layout (shape, strides)."""
    return x.new_empty_strided(shape, strides).copy_(x)


@composite("strided_scatter", batch="inside", public=False, ref=_strided_scatter,
           samples=lambda rng: [((rng.standard_normal((3, 4)), rng.standard_normal((2, 3))), _STRIDED)], vjp=(
    lambda g, y, x, part, size, stride, offset: strided_scatter(
        laid(g, x.shape, x.strides), g.new_zeros(size), size=size, stride=stride, offset=offset),
    lambda g, y, x, part, size, stride, offset: shown(g, x.shape, x.strides, size, stride, offset)))
def strided_scatter(x, part, *, size, stride, offset):
    """x with the elements as_strided(size, stride, offset) shows replaced by part, as far as they are x's."""
    shape, strides = tuple(x.shape), x.stride()
    first, last = _frame(shape, strides, size, stride, offset)
    if last - first == _extent(shape, strides):
        full = laid(x, shape, strides)
        as_strided(full, size, stride, offset).copy_(part)
        return full
    flat = _framed(x, shape, strides, first, last)
    as_strided(flat, size, stride, offset - first).copy_(part)
    return laid(as_strided(flat, shape, strides, -first), shape, strides)
