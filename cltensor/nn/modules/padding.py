"""Padding layers over the last one to three dimensions."""

from .. import functional as F
from .module import Module

__all__ = ["CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
           "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d",
           "ZeroPad1d", "ZeroPad2d", "ZeroPad3d"]


class _Pad(Module):
    """Pad x on each side of its last `dims` dimensions; padding: an int, or (before, after) from the last dimension on."""

    dims, mode = 1, "constant"

    def __init__(self, padding):
        super().__init__()
        self.padding = (padding,) * 2 * self.dims if isinstance(padding, int) else tuple(padding)

    def forward(self, input):
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self):
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, value=self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Pad x with one value; padding: an int or (left, right)."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """Pad x with one value; padding: an int or (left, right, top, bottom)."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """Pad x with one value; padding: an int or (left, right, top, bottom, front, back)."""

    dims = 3


class ZeroPad1d(_Pad):
    """Pad x with zeros; padding: an int or (left, right)."""

    dims, mode = 1, "constant"


class ZeroPad2d(_Pad):
    """Pad x with zeros; padding: an int or (left, right, top, bottom)."""

    dims, mode = 2, "constant"


class ZeroPad3d(_Pad):
    """Pad x with zeros; padding: an int or (left, right, top, bottom, front, back)."""

    dims, mode = 3, "constant"


class ReflectionPad1d(_Pad):
    """Pad x with its reflection, without the edge itself; padding: an int or (left, right)."""

    dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Pad x with its reflection, without the edge itself; padding: an int or (left, right, top, bottom)."""

    dims, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Pad x with its reflection, without the edge itself; padding: an int or (left, right, top, bottom, front, back)."""

    dims, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Pad x with copies of its edge; padding: an int or (left, right)."""

    dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Pad x with copies of its edge; padding: an int or (left, right, top, bottom)."""

    dims, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Pad x with copies of its edge; padding: an int or (left, right, top, bottom, front, back)."""

    dims, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """Pad x with values from its other end; padding: an int or (left, right)."""

    dims, mode = 1, "circular"


class CircularPad2d(_Pad):
    """Pad x with values from its other end; padding: an int or (left, right, top, bottom)."""

    dims, mode = 2, "circular"


class CircularPad3d(_Pad):
    """Pad x with values from its other end; padding: an int or (left, right, top, bottom, front, back)."""

    dims, mode = 3, "circular"


def __dir__():
    return sorted(__all__)
