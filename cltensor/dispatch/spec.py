"""Spec: a tensor's description without its data.

Specs are interned: tensors of the same layout share one Spec object, so plans are looked up by identity.  This keeps eager
dispatch cheap.
"""

from ..base.observed_sizes import plain
from ..base.shapes import Size, contiguous_strides

_LIMIT = 1 << 16
_interned = {}


class Spec:
    """Shape, strides (in elements), dtype and device of a tensor.  Made by `spec()`, never directly."""

    __slots__ = ("__weakref__", "contiguous", "device", "dtype", "ndim", "numel", "shape", "strides")

    def __init__(self, shape, strides, dtype, device):
        self.shape, self.strides, self.dtype, self.device = Size(shape), strides, dtype, device
        self.ndim = len(shape)
        numel = 1
        for n in shape:
            numel *= n
        self.numel = numel
        self.contiguous = numel == 0 or all(
            n == 1 or s == c for n, s, c in zip(shape, strides, contiguous_strides(shape), strict=True))

    @property
    def itemsize(self):
        return self.dtype.itemsize

    @property
    def nbytes(self):
        return self.numel * self.dtype.itemsize

    def dense(self, shape=None, dtype=None):
        """A contiguous Spec on the same device, with another shape or dtype where given."""
        return dense(self.shape if shape is None else shape, dtype or self.dtype, self.device)

    def __repr__(self):
        return f"Spec({self.shape}, strides={self.strides}, {self.dtype.name}, {self.device})"


def spec(shape, strides, dtype, device):
    """The interned Spec of this layout.  shape and strides are tuples of int."""
    key = (shape, strides, dtype, device)
    found = _interned.get(key)
    if found is None:
        if len(_interned) >= _LIMIT:  # afterwards a layout may have two Specs, which only costs a second plan
            _interned.clear()
        key = (*plain((shape, strides)), dtype, device)
        found = _interned[key] = Spec(*key)
    return found


def dense(shape, dtype, device):
    """The Spec of a contiguous tensor."""
    shape = tuple(shape)
    return spec(shape, contiguous_strides(shape), dtype, device)
