"""Faults noticed on the device: a bad index or value cannot raise when the op is called, since nothing waits for the device.

Kernels that read indices, or probabilities, leave a note in a small buffer; it is looked at, and raised, where values are
read.
"""

import numpy as np

from ..base.errors import ArgumentError, DimensionError

UNKNOWN = -(2**62)  # stands for an index whose value is no longer known

_names = []
_rules = set()
_buffers = {}
_suspects = set()


def number_of(name):
    """A number standing for an op's name in a fault note."""
    if name not in _names:
        _names.append(name)
    return _names.index(name) + 1


def note(device, rule):
    """The arguments of a kernel that notes values which break a rule, a sentence: (fault buffer, number of the rule)."""
    _rules.add(rule)
    return buffer(device), np.int64(number_of(rule))


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
    """Wait for the device and raise what a kernel noted; costs nothing otherwise.

    Raises DimensionError for an index out of range, ArgumentError for a value that breaks a rule.
    """
    if device not in _suspects:
        return
    _suspects.discard(device)
    note = np.empty(4, np.int64)
    device.read(_buffers[device], 0, note)
    if note[0]:
        device.write(_buffers[device], 0, np.zeros(4, np.int64))
        if _names[note[0] - 1] in _rules:
            raise ArgumentError(_names[note[0] - 1])
        if note[1] == UNKNOWN:
            raise DimensionError("index: an index tensor holds a value that is out of bounds for its dimension")
        raise DimensionError(f"{_names[note[0] - 1]}: index {note[1]} is out of bounds for dimension with size {note[2]}")
