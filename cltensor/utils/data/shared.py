"""Memory that processes share only by a file descriptor: it has no name, so nothing is left behind however they end."""

import mmap
import os
import tempfile
from multiprocessing import reduction

import numpy as np

_ALIGNED = 64
_STRIDE = 1 << 36  # bytes between the starts of regions; the file is sparse
_LEAST = 1 << 16  # bytes of a region's first window


class SharedFile:
    """An anonymous file in memory (or in the temporary folder).  Processes get it when they start."""

    def __init__(self):
        if hasattr(os, "memfd_create"):
            self.fd = os.memfd_create("cltensor", os.MFD_CLOEXEC)
        else:
            with tempfile.TemporaryFile(prefix="cltensor-") as file:
                self.fd = os.dup(file.fileno())

    def window(self, region, nbytes, private=False):
        """At least nbytes of a region as a uint8 array; the file grows to fit.  private: its writes stay in this process.

        Raises OSError if the system refuses.
        """
        start, size = region * _STRIDE, -(-max(nbytes, 1) // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        if os.fstat(self.fd).st_size < start + size:
            os.ftruncate(self.fd, start + size)
        access = mmap.ACCESS_COPY if private else mmap.ACCESS_WRITE
        return np.frombuffer(mmap.mmap(self.fd, size, access=access, offset=start), np.uint8)

    def close(self):
        """Close the descriptor; windows stay."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    __del__ = close

    def __reduce__(self):
        return _received, (reduction.DupFd(self.fd),)


def _received(duplicate):
    made = object.__new__(SharedFile)
    made.fd = duplicate.detach()
    return made


class Region:
    """A part of a SharedFile that one process fills and others then read; without a file, or more memory, it stays empty."""

    def __init__(self, file, number, private=False):
        self.file, self.number, self.private = file, number, private
        self.window = np.empty(0, np.uint8)
        self.clear()

    def clear(self):
        """Drop the contents."""
        self.used, self.places = 0, {}  # id of an array -> (its offset, the array)

    def empty(self, shape, dtype):
        """A new array in the region, or None if there is no memory."""
        nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        end = self.used + nbytes
        if self.file is None:
            return None
        try:
            if end > self.window.size:
                self.window = self.file.window(self.number, max(end, 2 * self.window.size, _LEAST))
        except OSError:
            return None
        made = np.ndarray(shape, dtype, self.window, self.used)
        self.places[id(made)] = self.used, made
        self.used = -(-end // _ALIGNED) * _ALIGNED
        return made

    def put(self, array):
        """The offset of the array's elements in row-major order, copied unless already there; None if there is no memory."""
        found = self.places.get(id(array))
        if found is not None:
            return found[0]
        made = self.empty(array.shape, array.dtype)
        if made is None:
            return None
        made[...] = array
        return self.places[id(made)][0]

    def get(self, offset, shape, dtype):
        """The array at an offset, a view of the shared bytes."""
        end = offset + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if end > self.window.size:
            self.window = self.file.window(self.number, max(end, os.fstat(self.file.fd).st_size - self.number * _STRIDE
                                                            if self.private else end), self.private)
        return np.ndarray(shape, dtype, self.window, offset)
