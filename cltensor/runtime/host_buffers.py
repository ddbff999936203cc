"""HostMemory: the tensor memory of a HostDevice, in a process that leaves OpenCL alone."""

import contextlib

import numpy as np

from ..base.errors import DeviceError

HOST_ONLY = ("this process leaves OpenCL alone, because it was forked from one that had already looked for OpenCL devices, which "
             "do not survive a fork, or because it is a worker of a DataLoader; its tensors lie in host memory. Use the device in "
             "the main program, or start processes that need one with the 'spawn' method (multiprocessing.get_context('spawn'))")


class HostBuffer:
    """nbytes bytes of host memory: `bytes` is a uint8 array."""

    __slots__ = ("bytes",)

    def __init__(self, values):
        self.bytes = values

    @property
    def int_ptr(self):
        return self.bytes.ctypes.data


class HostMemory:
    """The memory operations of a device, on HostBuffers; every copy is done when the call returns."""

    host = True
    arena = None
    lock = contextlib.nullcontext()

    def allocate(self, nbytes):
        """A new HostBuffer."""
        return HostBuffer(np.empty(nbytes, np.uint8))

    def read(self, buffer, byte_offset, array):
        """Fill `array` (NumPy, C-contiguous, writable) from `buffer`."""
        array.reshape(-1).view(np.uint8)[:] = buffer.bytes[byte_offset:byte_offset + array.nbytes]

    def write(self, buffer, byte_offset, array):
        """Copy `array` (NumPy) into `buffer`."""
        values = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        buffer.bytes[byte_offset:byte_offset + values.size] = values

    def copy(self, dst, dst_offset, src, src_offset, nbytes):
        """Copy nbytes between two buffers; offsets in bytes."""
        dst.bytes[dst_offset:dst_offset + nbytes] = src.bytes[src_offset:src_offset + nbytes].copy()

    def fill(self, buffer, byte_offset, nbytes, pattern):
        """Fill nbytes with the repeated `pattern`, whose size divides nbytes."""
        values = np.frombuffer(bytes(pattern), np.uint8)
        buffer.bytes[byte_offset:byte_offset + nbytes].reshape(-1, values.size)[:] = values

    def refuse(self, *args, **kwargs):
        """Raise DeviceError: there is no OpenCL here."""
        raise DeviceError(HOST_ONLY)

    kernel = program = synchronize = new_channel = drop_channel = use = enable_profiling = _open = refuse
