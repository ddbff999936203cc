"""Storage: bytes on a device, shared by the tensors that view them."""

from ..autograd.modes import modes
from ..base.errors import ArgumentError


class Storage:
    """A device buffer of nbytes bytes and the version counter of what it holds.

    inference: whether it was made in inference mode, which keeps its tensors out of graphs for good.
    """

    __slots__ = ("__weakref__", "buffer", "device", "inference", "nbytes", "version")

    def __init__(self, device, nbytes):
        self.device, self.nbytes, self.version, self.inference = device, nbytes, 0, modes.inference
        self.buffer = device.allocate(nbytes)

    def __len__(self):
        return self.nbytes

    def size(self):
        """The number of bytes."""
        return self.nbytes

    def data_ptr(self):
        """A number that identifies the buffer while it lives: the OpenCL handle.  It is no address."""
        return self.buffer.int_ptr if self.nbytes else 0

    def resize_(self, nbytes):
        """Change the size in bytes, keeping what fits.  Raises ArgumentError for a negative size."""
        if nbytes < 0:
            raise ArgumentError(f"resize_: a storage cannot have {nbytes} bytes")
        if nbytes != self.nbytes:
            fresh = self.device.allocate(nbytes)
            self.device.copy(fresh, 0, self.buffer, 0, min(nbytes, self.nbytes))
            self.buffer, self.nbytes = fresh, nbytes
            self.version += 1
        return self

    def __repr__(self):
        return f"<Storage of {self.nbytes} bytes on {self.device}>"
