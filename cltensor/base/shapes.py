"""Arithmetic on shapes and strides: broadcasting, dimensions, merging of contiguous dimensions."""

import functools
import math
from collections.abc import Iterable

from .errors import ArgumentTypeError, DimensionError, ShapeError
from .overlap import packed


class Size(tuple):
    """The shape of a tensor: a tuple with numel(), as torch.Size."""

    __slots__ = ()

    def numel(self):
        """The number of elements a tensor of this shape has."""
        return math.prod(self)

    def __repr__(self):
        return f"cltensor.Size([{', '.join(map(str, self))}])"

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))

    def __getitem__(self, index):
        picked = tuple.__getitem__(self, index)
        return Size(picked) if isinstance(index, slice) else picked


def contiguous_strides(shape):
    """Row-major strides, in elements; a dimension of size 0 counts as 1, as in PyTorch."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def broadcast_strides(shape, strides, target):
    """The strides of an operand of `shape` broadcast to `target`: 0 in broadcast dimensions."""
    lead = len(target) - len(shape)
    return (0,) * lead + tuple(0 if n == 1 != m else s for n, s, m in zip(shape, strides, target[lead:], strict=True))


def dense_strides(shape, *operands):
    """The strides of a new dense tensor of `shape` whose dimensions lie in memory as those of the operands do.

    operands: strides for `shape`, 0 where a dimension is broadcast.  The first operand that tells two dimensions apart decides.
    """
    if all(_contiguous(shape, strides) for strides in operands):
        return contiguous_strides(shape)
    if len(set(operands)) == 1 and packed(shape, operands[0]):
        return operands[0]
    inner = list(reversed(range(len(shape))))  # the dimensions, innermost first
    for i in range(1, len(shape)):
        at = i
        for j in reversed(range(i)):
            first = _outer(inner[j], inner[at], shape, operands)
            if first:
                inner[j], inner[at] = inner[at], inner[j]
                at = j
            elif first is False:
                break
    strides, step = [0] * len(shape), 1
    for d in inner:
        strides[d] = step
        step *= max(shape[d], 1)
    return tuple(strides)


def _contiguous(shape, strides):
    """Whether strides are row-major where they matter.  A dimension that broadcasting added has stride 0, and says no."""
    packed = contiguous_strides(shape)
    return 0 in shape or all((s and n == 1) or s == c for n, s, c in zip(shape, strides, packed, strict=True))


def _outer(a, b, shape, operands):
    """Whether dimension a lies outside of b; None if no operand tells.  Of equal strides the longer dimension is outside."""
    for strides in operands:
        if strides[a] and strides[b]:
            if strides[a] != strides[b]:
                return strides[a] > strides[b]
            if shape[a] > shape[b]:
                return True
    return None


def broadcast_shapes(*shapes, op="broadcast_shapes"):
    """The broadcast shape of `shapes` (an int n means (n,)).  Raises ShapeError naming the dimension that does not fit."""
    shapes = [(s,) if isinstance(s, int) else s for s in shapes]
    ndim = max(map(len, shapes), default=0)
    result = [1] * ndim
    for shape in shapes:
        for i, n in enumerate(shape, ndim - len(shape)):
            if n != 1 and n != result[i]:
                if result[i] != 1:
                    shown = ", ".join(str(tuple(s)) for s in shapes)
                    raise ShapeError(f"{op}: shapes {shown} do not broadcast: sizes {result[i]} and {n} at dimension "
                                     f"{i - ndim} differ and neither is 1")
                result[i] = n
    return tuple(result)


@functools.lru_cache(maxsize=4096)
def broadcast_dims(size, shape):
    """The dimensions of `shape` along which broadcasting repeats a tensor of `size`; None if it does not broadcast to that."""
    lead = len(shape) - len(size)
    if lead < 0 or any(n not in (1, m) for n, m in zip(size, shape[lead:], strict=True)):
        return None
    return (*range(lead), *(lead + i for i, n in enumerate(size) if n == 1 and shape[lead + i] != 1))


def normalize_dim(dim, ndim, op):
    """dim as an index in [0, ndim); a 0-d tensor counts as 1-d.  Raises DimensionError when out of range."""
    limit = max(ndim, 1)
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise ArgumentTypeError(f"{op}: dim must be an int, got {dim!r}")
    dim = dim.__index__()
    if not -limit <= dim < limit:
        raise DimensionError(f"{op}: Dimension out of range: dim is {dim}, expected to be in [{-limit}, {limit - 1}]")
    return dim + limit if dim < 0 else dim


def normalize_dims(dim, ndim, op):
    """A sorted tuple of distinct dimensions; None or () mean all.  Raises DimensionError, ShapeError on repeats."""
    if ndim > 64:
        raise ShapeError(f"{op}: only tensors with up to 64 dims are supported, got {ndim}")
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    wanted = dim if isinstance(dim, Iterable) and getattr(dim, "ndim", 1) else (dim,)
    dims = sorted(normalize_dim(d, ndim, op) for d in wanted)
    if len(set(dims)) < len(dims):
        raise ShapeError(f"{op}: dim {dim} appears multiple times in the list of dims")
    return tuple(d for d in dims if d < ndim)


def reduced_shape(shape, dims, keepdim):
    """The shape after reducing over dims."""
    if keepdim:
        return tuple(1 if i in dims else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in dims)


def collapse(shape, *strides):
    """Merge neighbouring dimensions that every operand can walk with one stride, and drop those of size 1.

    Returns (shape, [strides of each operand]); a single element gives shape ().
    """
    kept, runs = [], [[] for _ in strides]
    for i, n in enumerate(shape):
        if n == 1:
            continue
        steps = [s[i] for s in strides]
        if kept and all(run[-1] == n * s for run, s in zip(runs, steps, strict=True)):
            kept[-1] *= n
            for run, s in zip(runs, steps, strict=True):
                run[-1] = s
        else:
            kept.append(n)
            for run, s in zip(runs, steps, strict=True):
                run.append(s)
    return tuple(kept), [tuple(run) for run in runs]
