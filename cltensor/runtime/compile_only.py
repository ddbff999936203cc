"""A device that only compiles: it builds the programs of launched kernels and runs nothing."""

import threading

from .absent import AbsentKernel
from .builder import Builder
from .device import device


class CompileOnlyDevice(device):
    """A device whose memory holds nothing and whose kernels do nothing.  Reading from it raises NothingThereError."""

    silent = True

    def __new__(cls, real):
        made = object.__new__(cls)
        made.index, made.entry, made.profile, made.programs = real.index, real.entry, real.profile, real.programs
        made.lock, made.builder = threading.RLock(), Builder(real.index)
        return made

    def _open(self):
        raise NothingThereError("a compile-only device has neither context nor memory")

    def kernel(self, source, name):
        """Build the program into the disk cache.  Returns a kernel that ignores its arguments."""
        self.programs.prepare(source, self.builder.build)
        return AbsentKernel

    def allocate(self, nbytes):
        """No buffer."""

    def copy(self, dst, dst_offset, src, src_offset, nbytes):
        """Nothing."""

    def fill(self, buffer, byte_offset, nbytes, pattern):
        """Nothing."""

    def write(self, *args, **kwargs):
        """Nothing."""

    def read(self, *args, **kwargs):
        """Raise NothingThereError."""
        raise NothingThereError("a compile-only device has no values to read")


class NothingThereError(RuntimeError):
    """Values of a compile-only device were asked for."""
