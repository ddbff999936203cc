"""as_strided and its gradients.

A layout is a shape and strides; several of its indices may share one memory location.  Gradients of elements read from it are
summed.  The gradient of a shared location is divided equally among its indices, as in PyTorch, so that a sum counts it once.
"""

import numpy as np

from ...base.overlap import extent, repeats
from ..kinds.composite import composite
from ..kinds.view import view


def _as_strided(x, size, stride, offset):
    flat = np.ascontiguousarray(x).reshape(-1)[offset:]
    return np.lib.stride_tricks.as_strided(flat, size, [s * flat.itemsize for s in stride])


def _as_strided_backward(grad, shape, strides, size, stride, offset):
    places, count = {}, {}
    for index in np.ndindex(*size):
        at = offset + int(np.dot(index, stride))
        places[at] = places.get(at, 0) + grad[index]
    at_index = {index: int(np.dot(index, strides)) for index in np.ndindex(*shape)}
    for at in at_index.values():
        count[at] = count.get(at, 0) + 1
    full = np.zeros(shape, grad.dtype)
    for index, at in at_index.items():
        full[index] = places.get(at, 0) / count[at]
    return full


def _strided_scatter(x, part, size, stride, offset):
    full = np.array(x)
    _as_strided(full, size, stride, offset)[...] = part
    return full


_APART, _TOGETHER = ({"size": (2, 3), "stride": s, "offset": 1} for s in ((6, 2), (1, 1)))
_LAYOUTS = tuple({"shape": (3, 4), "strides": s} for s in ((4, 1), (0, 2), (1, 1)))

as_strided = view("as_strided_view", lambda x, size, stride, offset: (size, stride, offset), public=False, ref=_as_strided,
                  samples=lambda rng: [((rng.standard_normal((3, 4)),), a) for a in (_APART, _TOGETHER)],
                  vjp=(lambda g, y, x, size, stride, offset: as_strided_backward(
                      g, tuple(x.shape), x.strides, size, stride, offset),),
                  doc="Any strides over the same memory; offset is relative to the input's first element.")


class _Frame:
    """The flat memory, elements `first` to `last` (exclusive), that two layouts span together; offset: of the second.

    A view of a slice may show elements before or after the slice in its storage.
    """

    def __init__(self, shape, strides, size, stride, offset):
        mine, shown = extent(shape, strides), extent(size, stride)
        self.first, self.last = min(0, offset if shown else 0), max(mine, offset + shown if shown else 0)
        self.shape, self.strides = shape, strides
        self.repeats = repeats(shape, strides)
        self.plain = self.last - self.first == mine and not self.repeats  # the first layout covers everything

    def show(self, flat, size, stride, offset):
        """A layout as a view of flat memory."""
        return as_strided(flat, size, stride, offset - self.first)

    def gathered(self, x, size, stride, offset):
        """Flat memory with x added at the locations of a layout, zero elsewhere."""
        flat = x.new_zeros(self.last - self.first)
        if repeats(size, stride):
            return flat.index_add(0, self._places(x, size, stride, offset), x.reshape(-1))
        self.show(flat, size, stride, offset).copy_(x)
        return flat

    def _places(self, x, size, stride, offset):
        return self.show(x.new_arange(self.last - self.first), size, stride, offset).reshape(-1)

    def shared(self, flat):
        """Flat memory with each element divided by the number of indices of the first layout that share it."""
        if not self.repeats:
            return flat
        places = self._places(flat, self.shape, self.strides, 0)
        count = places.new_zeros(self.last - self.first).index_add(0, places, places.new_ones(places.shape))
        return flat / count.clamp(min=1).to(flat.dtype)


@composite("as_strided_backward", batch="inside", public=False, dtypes="floating", ref=_as_strided_backward,
           samples=lambda rng: [((rng.standard_normal((2, 3)),), {**layout, **a}) for layout in _LAYOUTS
                                for a in (_APART, _TOGETHER)],
           vjp=(lambda g, y, grad, shape, strides, size, stride, offset: shown(g, shape, strides, size, stride, offset),))
def as_strided_backward(grad, *, shape, strides, size, stride, offset):
    """The gradient of x, laid out as (shape, strides); grad is the gradient of x.as_strided(size, stride, offset)."""
    frame = _Frame(shape, strides, size, stride, offset)
    full = frame.show(frame.shared(frame.gathered(grad, size, stride, offset)), shape, strides, 0)
    if frame.repeats:
        return full.contiguous()
    return full if frame.plain else laid(full, shape, strides)


def shown(x, shape, strides, size, stride, offset):
    """as_strided(size, stride, offset) of x laid out as (shape, strides), with zeros before and after it.

    Elements of x that share a location should be equal; their mean is used.
    """
    frame = _Frame(shape, strides, size, stride, offset)
    if frame.plain:
        return as_strided(_seen_as(x, shape, strides), size, stride, offset)
    return frame.show(frame.shared(frame.gathered(x, shape, strides, 0)), size, stride, offset)


def laid(x, shape, strides):
    """x copied into a layout in which no indices share a location."""
    return x.new_empty_strided(shape, strides).copy_(x)


def _seen_as(x, shape, strides):
    """x with this layout: x itself, or a copy if its layout differs."""
    return x if tuple(x.shape) == tuple(shape) and tuple(x.stride()) == tuple(strides) else laid(x, shape, strides)


@composite("strided_scatter", batch="inside", public=False, ref=_strided_scatter,
           samples=lambda rng: [((rng.standard_normal((3, 4)), rng.standard_normal((2, 3))), _APART)], vjp=(
    lambda g, y, x, part, size, stride, offset: strided_scatter(
        _seen_as(g, x.shape, x.strides), g.new_zeros(size), size=size, stride=stride, offset=offset),
    lambda g, y, x, part, size, stride, offset: shown(g, x.shape, x.strides, size, stride, offset)))
def strided_scatter(x, part, *, size, stride, offset):
    """x with the elements that as_strided(size, stride, offset) shows replaced by part; elements outside x are ignored."""
    shape, strides = tuple(x.shape), x.stride()
    frame = _Frame(shape, strides, size, stride, offset)
    if frame.plain:
        full = laid(x, shape, strides)
        as_strided(full, size, stride, offset).copy_(part)
        return full
    flat = frame.gathered(x, shape, strides, 0)
    frame.show(flat, size, stride, offset).copy_(part)
    return laid(frame.show(flat, shape, strides, 0), shape, strides)


def written(g, shape, strides, size, stride, offset):
    """The gradient of values written at as_strided(size, stride, offset); g: the gradient of the tensor (shape, strides)."""
    frame = _Frame(shape, strides, size, stride, offset)
    if not frame.repeats:
        return shown(g, shape, strides, size, stride, offset)
    return frame.show(frame.gathered(g, shape, strides, 0), size, stride, offset)


def around(g, part, shape, strides, size, stride, offset):
    """The gradient of a tensor before a write at as_strided(size, stride, offset); g: its gradient after the write.

    part: the gradient at the written elements, None for zero.
    """
    frame = _Frame(shape, strides, size, stride, offset)
    if part is None:
        size = tuple(n if s else min(n, 1) for n, s in zip(size, stride, strict=True))
        part = g.new_zeros(size)
    if not frame.repeats:
        return strided_scatter(_seen_as(g, shape, strides), part, size=size, stride=stride, offset=offset)
    flat = frame.gathered(g, shape, strides, 0)
    frame.show(flat, size, stride, offset).copy_(part)
    return frame.show(frame.shared(flat), shape, strides, 0).contiguous()
