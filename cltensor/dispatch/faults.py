"""Faults found on the device: a call cannot raise for a bad index or value, since it does not wait for the device.

Kernels that read indices or probabilities write a note into a small buffer.  The next read of any values on the device
checks the buffer and raises; with CLTENSOR_SYNC=1 the call itself does.  Each such launch has a number, its ticket, which
leads from the note to the public call and the line of the user's program.  Every read must raise, since a note does not
tell which tensors were computed from the bad values.
"""

import contextlib
import itertools
import threading
from collections import deque

import numpy as np

from ..base import calls, config
from ..base.errors import ArgumentError, DimensionError
from ..base.forking import in_forked_children
from .plan import Ticket

UNKNOWN = -(2**62)  # added to an index out of range if its dimension is lost in a flat position of several indices

_TOGETHER = 1 << 20  # tickets at a time, at most
_tickets = itertools.count(1, _TOGETHER)
_launches = deque(maxlen=8192)  # (first ticket, ops, calls.codes()) of the last launches that may leave a note
_buffers = {}
_suspects = set()
# With CLTENSOR_SYNC=1, held from a launch until its note is checked: no other thread may launch or read in between.
_alone = threading.RLock()
_ignoring = threading.local()
in_forked_children(lambda: globals().update(_alone=threading.RLock()))


def note(device):
    """The arguments of a kernel that may leave a note: the fault buffer and the launch's ticket."""
    return buffer(device), Ticket()


def buffer(device):
    """The device's fault buffer: four int64 (ticket, value, size, unused), zero without a fault."""
    found = _buffers.get(device)
    if found is None:
        found = _buffers[device] = device.allocate(32)
        device.write(found, 0, np.zeros(4, np.int64))
    return found


def owns(buffer):
    """Whether a buffer is a device's fault buffer."""
    return any(buffer is own for own in _buffers.values())


def ticket(*ops):
    """New numbers for launches of ops that may leave a note, of which the first is returned; remembers the running call."""
    number = next(_tickets)
    _launches.append((number, ops, calls.codes()))
    return number


def announced(ops, device):
    """The ticket of the first of some launches of ops, which the caller is about to enqueue on a device; the others follow."""
    _suspect(device)
    return ticket(*ops)


def run(op, plan, buffers, offsets, values):
    """Run a plan of op whose kernels may leave a note; with CLTENSOR_SYNC=1, check for it at once."""
    if not config.sync():
        plan.run(buffers, offsets, values, ticket(op))
        _suspect(plan.device)
        return
    with _alone:
        plan.run(buffers, offsets, values, ticket(op))
        if _suspect(plan.device) and not plan.device.silent and not getattr(_ignoring, "now", False):
            _raise_note(plan.device, late=False)


def _suspect(device):
    """Remember that enqueued kernels may leave a note.  Returns whether the device has a fault buffer."""
    if device not in _buffers:
        return False
    _suspects.add(device)
    return True


def check(device):
    """If kernels may have left a note, wait for the device and raise it; otherwise cost nothing.

    Raises DimensionError for an index out of range, ArgumentError for a value that breaks a rule.
    """
    if device in _suspects:
        if config.sync():
            with _alone:
                _raise_note(device, late=True)
        else:
            _raise_note(device, late=True)


@contextlib.contextmanager
def ignored(device):
    """Forget what is noted inside: the block runs what the program does not.  What was noted before is raised first."""
    check(device)
    before, _ignoring.now = getattr(_ignoring, "now", False), True
    try:
        yield
    finally:
        _ignoring.now = before
        if device in _suspects:
            _suspects.discard(device)
            device.write(_buffers[device], 0, np.zeros(4, np.int64))


def _raise_note(device, late):
    _suspects.discard(device)
    note = np.empty(4, np.int64)
    device.read(_buffers[device], 0, note)
    if note[0]:
        device.write(_buffers[device], 0, np.zeros(4, np.int64))
        raise _error(*map(int, note[:3]), late)


def _error(number, value, size, late):
    known = ((ops[number - n], call) for n, ops, call in _launches if 0 <= number - n < len(ops))
    op, (codes, site) = next(known, (None, ([], None)))
    name, fn = calls.public(codes)
    kind, text = _complaint(op, fn, value, size)
    where = f" (called at {calls.line(site)}" if site else " (called earlier"
    where += "; the device noticed it, and this later read raises it: CLTENSOR_SYNC=1 raises it in the call)" if late else ")"
    error = kind()
    error.args = (calls.under(name, text + where) if name else text + where,)
    return error


def _complaint(op, fn, value, size):
    """(error class, sentence) for a note: a broken rule, or an index out of range."""
    if op is not None and op.reports_faults is not True:
        error, sentence = (ArgumentError, op.reports_faults) if isinstance(op.reports_faults, str) else op.reports_faults
        return error, sentence.format(value=np.int32(value).view(np.float32))
    argument = "index" if fn is None else calls.index_argument(fn)
    bound = "out of bounds for its dimension" if value < UNKNOWN // 2 else f"out of bounds for dimension with size {size}"
    value -= UNKNOWN if value < UNKNOWN // 2 else 0
    if argument == "target":
        return DimensionError, f"Target {value} is out of bounds; it must be at least 0 and less than {size}"
    return DimensionError, f"{'' if argument in ('index', 'indices') else argument + ': '}index {value} is {bound}"
