"""Every view op: a rule on shapes and strides, with the inverse view as gradient."""

import math
import operator

import numpy as np

from ...base.errors import ShapeError
from ...base.shapes import contiguous_strides
from ..kinds.composite import composite
from ..kinds.view import view
from .strided import as_strided_backward


def view_strides(shape, strides, wanted):
    """Strides that view a tensor of (shape, strides) as shape `wanted` without a copy; None if a copy is needed."""
    if math.prod(shape) == 0:
        return contiguous_strides(wanted)
    runs = []  # (size, innermost stride) of each maximal group of mergeable dimensions
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
        while i >= 0 and wanted[i] == 1:  # they join the group that follows, as in PyTorch
            result.append(step)
            i -= 1
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
            offset += start * x.strides[d]
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
    """Zeros of `shape` with grad written at a basic index."""
    full = grad.new_zeros(shape)
    basic_index(full, index).copy_(grad)
    return full


def _affine_rule(x, size, steps, start):
    """Index i of the view is index start + i[0] * steps[0] + i[1] * steps[1] + ... of x; steps and start are indices of x."""
    strides = tuple(sum(map(operator.mul, step, x.strides)) for step in steps)
    return size, strides, sum(map(operator.mul, start, x.strides)) if math.prod(size) else 0


def _affine_gradient(g, y, x, size, steps, start):
    dense = x.dense()
    size, stride, offset = _affine_rule(dense, size, steps, start)
    return as_strided_backward(g, shape=tuple(x.shape), strides=dense.strides, size=size, stride=stride, offset=offset)


def _affine_index(x, size, steps, start):
    y = np.empty(size, x.dtype)
    for i in np.ndindex(*size):
        y[i] = x[tuple(start + np.array(i) @ np.array(steps))]
    return y


affine_index = view("affine_index", _affine_rule, public=False, ref=_affine_index, vjp=(_affine_gradient,),
                    samples=lambda rng: [((rng.standard_normal((4, 5)),), {"size": (3,), "steps": ((1, 1),), "start": (0, 1)}),
                                         ((rng.standard_normal((4, 5)),),
                                          {"size": (4, 2, 3), "steps": ((1, 0), (0, 2), (0, 1)), "start": (0, 0)})],
                    doc="Diagonals and windows: indices that are sums of multiples of steps.")
