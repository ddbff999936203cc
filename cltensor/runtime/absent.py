"""Absent kernels: plans made without compiling anything, and a note of what would have to be compiled."""

import contextlib

from ..base.context import context


class AbsentKernel:
    """Stands for a kernel whose program is not there yet.  It takes arguments; it cannot be launched."""

    @staticmethod
    def set_arg(position, value):
        """Nothing."""


@contextlib.contextmanager
def absent_kernels():
    """Give a list.  In the block this thread compiles nothing: the sources of kernels that are neither in memory nor in the disk
    cache go to the list, and AbsentKernels stand for them."""
    before, context.absent = context.absent, []
    try:
        yield context.absent
    finally:
        context.absent = before
