"""Streams and events, with torch.cuda's names and meaning.

A stream is an in-order queue with its own memory pool.  Each thread has its own current stream on each device, at first the
default stream.  Only events order the work of two streams.  A tensor used on another stream than its own must stay alive
until that work is done, or be marked with record_stream.
"""

import contextlib
import threading
import time
import weakref

from ..base.context import context
from ..base.errors import ArgumentError, ArgumentTypeError
from .device import default_device, set_default_device
from .device import device as device_type
from .loader import pyopencl

_MARKER_SECONDS = 1e-3  # an idle queue reaches a marker in some 10 us


class _Before(threading.local):
    """Per thread: the default device and current stream from before each `with stream` block it is in."""

    def __init__(self):
        self.stack = []


before = _Before()


class _OfThisProcess:
    """What stands for work of this process on a device, of which there are no copies."""

    def __reduce_ex__(self, protocol):
        name = type(self).__name__
        raise ArgumentTypeError(f"cannot copy or pickle '{name}' object: it belongs to a queue of this process; make a new {name}, "
                                "or leave it out with __getstate__")


class Stream(_OfThisProcess):
    """A queue of work on `device` (the default one when None) that runs concurrently with other streams.

    `priority` is accepted for PyTorch's sake; OpenCL 1.2 has no priorities.  As a context manager it is current inside.

    Raises DeviceError for a device that does not exist.
    Source: torch.cuda.Stream; in-order command queues, OpenCL 1.2, section 5.1.

        >>> side = ct.opencl.Stream()
        >>> with side:
        ...     y = ct.ones(3) * 2
        >>> side.synchronize()
    """

    def __init__(self, device=None, priority=0):
        self.device, self.priority = resolve(device), priority
        self._channel = self.device.new_channel()
        self._asked = None

    @property
    def queue(self):
        """The pyopencl CommandQueue, for your own commands.  A function that asks for it inside `compile` runs eagerly."""
        return self.device.lend(self._channel)

    def synchronize(self):
        """Wait until everything enqueued on this stream is done."""
        self._channel.queue.finish()

    def query(self):
        """Whether everything enqueued on this stream so far is done."""
        if self._asked is not None and not self._asked.query():
            return False
        self._asked = self.record_event()
        deadline = time.perf_counter() + _MARKER_SECONDS
        while not self._asked.query():
            if time.perf_counter() > deadline:
                return False
        return True

    def record_event(self, event=None):
        """Record `event` (a new one when None) on this stream and return it."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event):
        """Make everything enqueued from now on start after `event`."""
        event.wait(self)

    def wait_stream(self, stream):
        """Make everything enqueued from now on start after all work enqueued on `stream` so far."""
        self.wait_event(stream.record_event())

    def keep(self, owner, buffer):
        """When `owner` is freed, keep `buffer` until everything enqueued on this stream by then is done."""
        weakref.finalize(owner, _keep, self, buffer).atexit = False

    def __enter__(self):
        before.stack.append((context.device, current_stream(self.device)))
        set_stream(self)
        return self

    def __exit__(self, *exception):
        device, stream = before.stack.pop()
        set_stream(stream)
        set_default_device(device)

    def __eq__(self, other):
        return isinstance(other, Stream) and other._channel is self._channel

    def __hash__(self):
        return id(self._channel)

    def __repr__(self):
        kind = "default" if self._channel is self.device.channels[0] else f"at {id(self._channel):#x}"
        return f"<cltensor.opencl.Stream {kind} on {self.device}>"

    def __del__(self):
        channel = self.__dict__.get("_channel")
        if channel and channel in self.device.__dict__.get("channels", ())[1:]:
            self.device.drop_channel(channel)


class Event(_OfThisProcess):
    """A mark in a stream to wait for; with enable_timing=True, two events measure the time between them.

    The first timing event makes the device's queues record timestamps: this costs one wait, and about 0.4 us a launch from then
    on.  On a device without timestamps, record() waits and reads the host's clock.

    Raises ArgumentError with interprocess=True.
    Source: torch.cuda.Event; event objects, OpenCL 1.2, section 5.9.

        >>> start, end = ct.opencl.Event(enable_timing=True), ct.opencl.Event(enable_timing=True)
        >>> start.record()
        >>> y = ct.ones(1000).sum()
        >>> end.record()
        >>> end.synchronize()
        >>> start.elapsed_time(end) >= 0
        True
    """

    def __init__(self, enable_timing=False, blocking=False, interprocess=False):
        if interprocess:
            raise ArgumentError("Event: events cannot be shared between processes; leave interprocess False")
        self.enable_timing = bool(enable_timing)
        self._event = self._device = self._host = None

    def record(self, stream=None):
        """Mark the end of what is enqueued on `stream` (the current one when None) so far."""
        stream = current_stream() if stream is None else stream
        if self.enable_timing:
            stream.device.enable_profiling()
        self._device = stream.device
        with stream.device.lock:
            self._event = stream._channel.mark()
        if self.enable_timing and not stream.device.timestamps:
            self._event.wait()
            self._host = time.perf_counter()

    def wait(self, stream=None):
        """Make everything enqueued on `stream` (the current one when None) from now on start after this event."""
        stream = current_stream() if stream is None else stream
        if self._event is None:
            return
        if stream.device is self._device:
            with stream.device.lock:
                stream._channel.wait_for(self._event)
        else:
            self.synchronize()  # events do not cross contexts

    def query(self):
        """Whether everything before the mark is done; True for an event never recorded."""
        if self._event is None:
            return True
        return self._event.command_execution_status == pyopencl().command_execution_status.COMPLETE

    def synchronize(self):
        """Wait until everything before the mark is done."""
        if self._event is not None:
            self._event.wait()

    def elapsed_time(self, end_event):
        """Milliseconds from this event to `end_event`.  Raises ArgumentError unless both are timed and done."""
        for name, e in (("start", self), ("end", end_event)):
            if not e.enable_timing:
                raise ArgumentError(f"elapsed_time: the {name} event does not time; make it with "
                                    "Event(enable_timing=True)")
            if e._event is None:
                raise ArgumentError(f"elapsed_time: the {name} event was never recorded; call record() first")
            if not e.query():
                raise ArgumentError(f"elapsed_time: the {name} event is not done yet; call its synchronize() first")
        if self._device is not end_event._device:
            raise ArgumentError(f"elapsed_time: the events are on different devices, {self._device} and "
                                f"{end_event._device}, whose clocks differ")
        if self._host is not None:
            return (end_event._host - self._host) * 1e3
        return (end_event._event.profile.end - self._event.profile.end) / 1e6

    def __repr__(self):
        return f"<cltensor.opencl.Event enable_timing={self.enable_timing}>"


def _keep(stream, buffer):
    device = stream.device
    with device.lock:
        device.memory.keep(stream._channel.mark(), buffer)


def resolve(d):
    """d (None, an index, a name or a device) as a device; None is the default one."""
    return default_device() if d is None else device_type(d)


def default_stream(device=None):
    """Return the stream that is current on `device` unless another is set.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.default_stream.

        >>> ct.opencl.current_stream() == ct.opencl.default_stream()
        True
    """
    d = resolve(device)
    if d.default_stream is None:
        made = object.__new__(Stream)
        made.device, made.priority, made._channel, made._asked = d, 0, d.channels[0], None
        d.default_stream = made
    return d.default_stream


def current_stream(device=None):
    """Return the stream of this thread's work on `device`.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.current_stream.

        >>> side = ct.opencl.Stream()
        >>> with side:
        ...     ct.opencl.current_stream() == side
        True
    """
    d = resolve(device)
    return context.streams.get(d) or default_stream(d)


def set_stream(stream):
    """Send this thread's work to `stream` from now on, and make its device the default one; None changes nothing.

    Raises ArgumentTypeError for anything but a Stream or None.  Source: torch.cuda.set_stream.

        >>> ct.opencl.set_stream(ct.opencl.default_stream())
    """
    if stream is None:
        return
    if not isinstance(stream, Stream):
        raise ArgumentTypeError(f"set_stream: expected a Stream, got {stream!r}")
    d = stream.device
    if stream == default_stream(d):
        context.streams.pop(d, None)
    else:
        d.stream_in_use()
        context.streams[d] = stream
    set_default_device(d)


def stream(stream):
    """Return a context manager in which this thread's work goes to a stream; with None it changes nothing.

    Raises ArgumentTypeError for anything but a Stream or None.  Source: torch.cuda.stream.

        >>> with ct.opencl.stream(ct.opencl.Stream()):
        ...     y = ct.ones(3) * 2
    """
    if stream is not None and not isinstance(stream, Stream):
        raise ArgumentTypeError(f"stream: expected a Stream or None, got {stream!r}")
    return contextlib.nullcontext() if stream is None else stream
