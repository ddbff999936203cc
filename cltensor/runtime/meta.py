"""MetaMemory: the memory operations of the meta device, whose tensors have shapes and dtypes but no values."""

import contextlib
from dataclasses import replace

from ..base.errors import NoDataError
from . import profile

#: its profile: what any device can do, since nothing is computed
PROFILE = replace(profile.HOST[1], kind="meta", name="meta", platform="meta")
ENTRY = replace(profile.HOST[0], kind="meta", name="meta", platform_name="meta")


class Nothing:
    """Stands for a buffer."""

    int_ptr = 0


NOTHING = Nothing()


class MetaMemory:
    """Allocations and writes that do nothing, and reads that raise NoDataError."""

    meta = True
    arena = inline = None
    streaming = profiling = False
    lock = contextlib.nullcontext()

    def allocate(self, nbytes):
        """Nothing of any size."""
        return NOTHING

    def write(self, *args, **kwargs):
        """Nothing."""

    copy = fill = synchronize = write

    def read(self, *args, **kwargs):
        """Raise NoDataError."""
        raise NoDataError("Cannot copy out of meta tensor; no data! It has a shape and a dtype alone: make it on a real device, or "
                          "give a module's parameters memory with to_empty(device=...)")

    def refuse(self, *args, **kwargs):
        """Raise NoDataError: nothing runs here."""
        raise NoDataError("the meta device runs nothing; use a real device")

    kernel = program = new_channel = drop_channel = enable_profiling = _open = refuse
