"""Plan an op for a device that does not exist, to see the kernel it would run."""

import functools

from ...base import dtypes
from ...dispatch.spec import dense
from ...runtime.profile import DeviceProfile

SHAPE = (64, 64)


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
        """Return no buffer."""


@functools.cache
def paper(style):
    """The Paper of a launch style; only one each, since ops cache their plans per device."""
    return Paper(style)


def elementwise(op, dtype, style):
    """The source of an elementwise op on contiguous inputs of this dtype; a condition is bool."""
    specs = tuple(dense(SHAPE, dtypes.bool_ if name in op.exempt else dtype, paper(style)) for name in op.inputs)
    return _source(op.plan(specs, None if specs else (dense(SHAPE, dtype, paper(style)),)))


def reduction(op, dtype, style):
    """The source of a reduction over the rows of contiguous inputs of this dtype."""
    specs = tuple(dense(SHAPE, dtype, paper(style)) for _ in op.inputs)
    return _source(op.plan(specs, ((1,), False)))


def _source(plan):
    return plan.steps[0].source
