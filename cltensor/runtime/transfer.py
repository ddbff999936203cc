"""Copies between host arrays and device buffers."""

import collections
import threading

import numpy as np

from ..base.context import context
from .loader import pyopencl

_COPIED = 4 << 20  # bytes; larger writes wait for the queue instead of copying the array
_PENDING = 64 << 20  # bytes; most that copied arrays in a queue may take


class Transfers:
    """Reads and writes of one device, through its current queue."""

    def __init__(self, device):
        self.device = device
        self._pending = collections.deque()
        self._bytes = 0
        self._lock = threading.RLock()

    def read(self, buffer, byte_offset, array):
        """Fill `array` (NumPy, C-contiguous, writable) from `buffer`, waiting for everything enqueued before."""
        if array.nbytes:
            self.device.channel.read(array, buffer, byte_offset, self.device.lock)

    def write(self, buffer, byte_offset, array):
        """Copy `array` (NumPy) into `buffer`; the array may change as soon as this returns."""
        if not array.nbytes:
            return
        channel, array = self.device.channel, np.ascontiguousarray(array)
        if context.recorder is not None:
            context.recorder.wrote(buffer, byte_offset, array)
        if array.nbytes > _COPIED:
            with self.device.lock:
                event = channel.write(buffer, byte_offset, array)
            event.wait()
            return
        with self.device.lock:
            if channel.write_now(buffer, byte_offset, array):
                return
            event = channel.write(buffer, byte_offset, array.copy())
        self._keep(event, array.nbytes)

    def _keep(self, event, nbytes):
        """Hold the event, and so the array, until the device has read it: dropping it earlier would wait."""
        done = pyopencl().command_execution_status.COMPLETE
        with self._lock:
            self._pending.append((event, nbytes))
            self._bytes += nbytes
            while self._pending and (self._bytes > _PENDING or self._pending[0][0].command_execution_status == done):
                self._bytes -= self._pending.popleft()[1]
