"""Faults noticed on the device: an index out of range cannot raise when the op is called, since nothing waits for the device.

Kernels that read indices leave a note in a small buffer; it is looked at, and raised, where values are read.
"""

import numpy as np

from ..base.errors import DimensionError

UNKNOWN = -(2**62)  # stands for an index whose value is no longer known

_names = []
_buffers = {}
_suspects = set()


def number_of(name):
    """A number standing for an op's name in a fault note."""
    if name not in _names:
        _names.append(name)
    return _names.index(name) + 1


def buffer(device):
    """The device's fault buffer: three int64 (op number, index, size), zero while all is well."""
    found = _buffers.get(device)
    if found is None:
        found = _buffers[device] = device.allocate(32)
        device.write(found, 0, np.zeros(4, np.int64))
    return found


def suspect(device):
    """Remember that kernels were enqueued which may leave a note."""
    _suspects.add(device)


def check(device):
    """Wait for the device and raise DimensionError if a kernel noted an index out of range; costs nothing otherwise."""
    if device not in _suspects:
        return
    _suspects.discard(device)
    note = np.empty(4, np.int64)
    device.read(_buffers[device], 0, note)
    if note[0]:
        device.write(_buffers[device], 0, np.zeros(4, np.int64))
        if note[1] < UNKNOWN // 2 or note[1] > -UNKNOWN // 2:
            raise DimensionError("index: an index tensor holds a value that is out of bounds for its dimension")
        raise DimensionError(f"{_names[note[0] - 1]}: index {note[1]} is out of bounds for dimension with size {note[2]}")
