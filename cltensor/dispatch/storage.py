"""Storage: bytes on a device, shared by the tensors that view them; with the methods of PyTorch's UntypedStorage."""

import numpy as np

from ..base import calls
from ..base.context import context
from ..base.errors import ArgumentError, ArgumentTypeError, DimensionError
from ..runtime.device import here_or_default


class Storage:
    """A device buffer and the version counter of its contents.

    extent: its size in bytes; inference: whether it was made in inference mode, so that its tensors can never enter a graph.
    """

    __slots__ = ("__weakref__", "buffer", "device", "extent", "inference", "version")

    is_cuda = is_sparse = is_hpu = False
    filename = None

    def __init__(self, device, nbytes):
        self.device, self.extent, self.version, self.inference = device, nbytes, 0, context.inference
        self.buffer = device.allocate(nbytes)
        if context.recorder is not None:
            context.recorder.born(self)

    def __copy__(self):
        return self.clone()

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = self.clone()
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        return _restored, (self.read(), str(self.device))

    def __len__(self):
        return self.extent

    def nbytes(self):
        """The number of bytes."""
        return self.extent

    size = nbytes

    def element_size(self):
        """1: an element is a byte."""
        return 1

    def data_ptr(self):
        """The OpenCL handle: it identifies the buffer while it lives, but is no address."""
        return self.buffer.int_ptr if self.extent else 0

    def untyped(self):
        """The storage itself."""
        return self

    def is_shared(self):
        """False: a device's memory belongs to one process."""
        return False

    def is_pinned(self, device=None):
        """False: copies to a device need no pinned memory here."""
        return False

    def resize_(self, nbytes):
        """Change the size in bytes; keep the bytes that fit.  Raises ArgumentError for a negative size."""
        if nbytes < 0:
            raise ArgumentError(f"resize_: a storage cannot have {nbytes} bytes")
        if nbytes != self.extent:
            fresh = self.device.allocate(nbytes)
            self.device.copy(fresh, 0, self.buffer, 0, min(nbytes, self.extent))
            self.buffer, self.extent = fresh, nbytes
            self.version += 1
        return self

    # --- the bytes -------------------------------------------------------------------------------------------------------

    def read(self):
        """The bytes as a NumPy array of uint8 (this waits for the device)."""
        if context.recorder is not None:
            context.recorder.fail("the bytes of a storage are read by the host")
        out = np.empty(self.extent, np.uint8)
        if self.extent:
            self.device.read(self.buffer, 0, out)
        return out

    def write(self, array):
        """Write all bytes from a NumPy array."""
        if self.extent:
            self.device.write(self.buffer, 0, np.ascontiguousarray(array).view(np.uint8))
        self.version += 1

    def clone(self):
        """A copy, on the same device."""
        made = Storage(self.device, self.extent)
        self.device.copy(made.buffer, 0, self.buffer, 0, self.extent)
        return made

    def copy_(self, source, non_blocking=False):
        """Write the bytes of another storage, of the same size.  Raises ArgumentError for another size."""
        source = source.untyped()
        if source.extent != self.extent:
            raise ArgumentError(f"copy_: the storages have {self.extent} and {source.extent} bytes; they must be as long")
        if source.device is self.device:
            self.device.copy(self.buffer, 0, source.buffer, 0, self.extent)
            self.version += 1
        else:
            self.write(source.read())
        return self

    def fill_(self, value):
        """Write one byte everywhere."""
        self.write(np.full(self.extent, value, np.uint8))
        return self

    def tolist(self):
        """The bytes as a list of ints."""
        return self.read().tolist()

    def __iter__(self):
        return iter(self.tolist())

    def __getitem__(self, index):
        return at(self, self.read(), index)

    def __setitem__(self, index, value):
        values = self.read()
        at(self, values, index)
        values[index] = value
        self.write(values)

    def __repr__(self):
        return f"<Storage of {self.extent} bytes on {self.device}>"


def _restored(values, name):
    made = Storage(here_or_default(name), values.size)
    made.write(values)
    return made


def at(storage, values, index):
    """values[index]: a number for an int, a list for a slice.  Raises ArgumentTypeError, DimensionError."""
    if isinstance(index, slice):
        return values[index].tolist()
    if not hasattr(index, "__index__"):
        raise ArgumentTypeError(f"can't index a {calls.kind(storage)} with {calls.kind(index)}; use an int or a slice")
    if not -len(values) <= index < len(values):
        raise DimensionError(f"index {index} out of range for storage of size {len(values)}")
    return values[index].item()
