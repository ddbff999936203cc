"""Plan an op for a device that does not exist, to see the kernels it would run."""

import functools

import numpy as np

from ...base import dtypes
from ...base.shapes import broadcast_strides
from ...dispatch.spec import dense, spec
from ...runtime.profile import DeviceProfile

SHAPE = (64, 64)
LAYOUTS = ("contiguous", "strided", "broadcast")


class Sheet:
    """A buffer of a Paper device: its size in bytes and what an op has written to it, tables for instance."""

    def __init__(self, nbytes):
        self.bytes = np.zeros(nbytes, np.uint8)


class Paper:
    """A stand-in for a device: an op plans its launches on it; nothing is built or run.

    It has what every OpenCL device has: work-groups of 256 and 32 KiB of local memory.
    """

    silent = host = meta = False  # plans keep their steps, so that they can be read

    def __init__(self, style):
        self.profile = DeviceProfile(
            style=style, kind=style, compute_units=2, clock_mhz=1000, vector_width=8 if style == "cpu" else 4,
            local_memory=32 << 10, max_work_group=256, work_group=1 if style == "cpu" else 256, groups=8,
            max_allocation=1 << 30, global_memory=1 << 32, address_align=128, fp64=True, fp16=False, subgroups=False,
            int64_atomics=False, little_endian=True, name="paper", vendor="", driver="", platform="", version="",
            quirks=frozenset())

    def kernel(self, source, name):
        """A kernel that ignores its arguments."""
        return self

    def set_arg(self, at, value):
        """Do nothing."""

    def allocate(self, nbytes):
        """Return a Sheet."""
        return Sheet(nbytes)

    def write(self, sheet, offset, array):
        """Keep the bytes of an array."""
        data = np.ascontiguousarray(array).view(np.uint8).ravel()
        sheet.bytes[offset:offset + data.size] = data

    def synchronize(self):
        """Do nothing."""


@functools.cache
def paper(style):
    """The Paper of a launch style; only one each, since ops cache their plans per device."""
    return Paper(style)


def elementwise(op, dtype, style, layout="contiguous"):
    """The source of an elementwise op on inputs of this dtype and layout; a condition is bool."""
    specs = tuple(_laid(dtypes.bool_ if name in op.exempt else dtype, style, layout, i) for i, name in enumerate(op.inputs))
    return _source(op.plan(specs, None if specs else (dense(SHAPE, dtype, paper(style)),)))


def reduction(op, dtype, style, layout="contiguous"):
    """The source of a reduction over the rows of inputs of this dtype and layout."""
    specs = tuple(_laid(dtype, style, layout, i) for i in range(len(op.inputs)))
    return _source(op.plan(specs, ((1,), False)))


def _laid(dtype, style, layout, i):
    """The Spec of input i.  strided: every second element of a row; broadcast: one number for each row, but for the first input."""
    if layout == "strided":
        return spec(SHAPE, (2 * SHAPE[1], 2), dtype, paper(style))
    if layout == "broadcast" and i:
        return spec(SHAPE, broadcast_strides((SHAPE[0], 1), (1, 1), SHAPE), dtype, paper(style))
    return dense(SHAPE, dtype, paper(style))


def _source(plan):
    return plan.steps[0].source
