"""Watch: notes every command of a device, with an event that has its times, and what its pools and readers do.

Queues that record timestamps take the place of those in use, once these are done.  Pools keep their own queues, so what was
allocated stays where it is, and afterwards everything is as it was.
"""

import collections
import threading
import time

import numpy as np

from ..base.context import context
from .loader import pyopencl

_SETTLE = 20_000  # commands; then the events of those that are done are read, and let go
_SAMPLES = 400  # commands whose times of enqueueing tell how the clocks differ

#: what is no kernel
COMMANDS = READ, WRITE, COPY, FILL = "copy device to host", "copy host to device", "copy device to device", "fill"


class Watch:
    """What a device does between start() and stop().

    timed: whether queues record timestamps.  commands: lists [what, size, frame, thread, enqueued, returned, begin, end], of a
    pyopencl Kernel and the size of its grid, or of one of COMMANDS and bytes; times in nanoseconds of the host's clock; begin and
    end are None where the driver tells no times.  allocations: (time, thread, frame, bytes, bytes in use,
    bytes reserved).  around: a function (fn, name) -> fn, put around what waits for the device.
    """

    def __init__(self, device, around, timed=True, memory=False):
        self.device, self.around, self.timed, self.memory = device, around, timed, memory
        self.commands, self.allocations, self._pending, self._before = [], [], collections.deque(), []
        self._lock, self._clocks, self._limit = threading.RLock(), [], _SETTLE

    def start(self):
        """Begin.  Waits for the device."""
        d = self.device
        d.synchronize()
        with d.lock:
            self._profiling, self._timestamps, self._inline = d.profiling, d.timestamps, None
            if self.timed:
                d.profiling = True
                self._inline = d.inline and d.timed_queue(d.entry.inline)
            d.watch = self
            d.synchronize()
            for channel in d.channels:
                self.add(channel)
            d.refresh()
            if self.timed and not self._profiling:
                d.timestamps = d.has_timestamps()
            self._calls = d.read, d.write
            d.read, d.write = (self.around(fn, name) for fn, name in zip(self._calls, ("read", "write"), strict=True))
            d.synchronize = self.around(d.synchronize, "synchronize")

    def stop(self):
        """End.  Waits for the device."""
        d = self.device
        del d.synchronize
        d.read, d.write = self._calls
        d.synchronize()
        with d.lock:
            d.synchronize()
            for channel, queues, commands in self._before:
                channel.launch, channel.transfer, channel.filling = commands
                if queues is not None:
                    channel.replace(*queues)
            d.profiling, d.timestamps, d.watch, self._before = self._profiling, self._timestamps, None, []
            d.refresh()
        self.settle(wait=True)
        self._translate()

    def add(self, channel):
        """Watch a channel.  A queue that the user has enqueues on stays: their own commands are to be in order with ours."""
        queues = None
        if self.timed and not channel.lent:
            queue = channel.queue if self._profiling else self.device.timed_queue(self.device.entry.device)
            queues = channel.replace(queue, self._inline)
        self._before.append((channel, queues, (channel.launch, channel.transfer, channel.filling)))
        channel.launch = self._launching(channel.launch)
        channel.transfer = self._noting(channel.transfer, _copied)
        channel.filling = self._noting(channel.filling, _filled)

    def _launching(self, launch):
        append, now, thread = self._append, time.perf_counter_ns, threading.get_ident

        def watched(queue, kernel, global_size, local_size):
            at = now()
            event = launch(queue, kernel, global_size, local_size)
            append([kernel, global_size, context.frame, thread(), at, now(), event, None])
            return event

        return watched

    def _noting(self, enqueue, described):
        append, now, thread = self._append, time.perf_counter_ns, threading.get_ident

        def watched(*args, **kwargs):
            at = now()
            event = enqueue(*args, **kwargs)
            append([*described(*args, **kwargs), context.frame, thread(), at, now(), event, None])
            return event

        return watched

    def _append(self, command):
        self._pending.append(command)
        if len(self._pending) >= self._limit:
            self.settle()

    def allocator(self, channel):
        """channel.allocate, noted.  A block that is new is written to in the pool's queue: wait for that."""
        take, pool, memory = channel.allocate, channel.pool, self.device.memory
        own = next((queues[0] for c, queues, _ in self._before if c is channel and queues), channel.queue)
        note, now, thread = self.allocations.append, time.perf_counter_ns, threading.get_ident

        def allocate(nbytes):
            held = pool.managed_bytes
            buffer = take(nbytes)
            if own is not channel.queue and pool.managed_bytes != held:
                own.finish()
            if self.memory:
                note((now(), thread(), context.frame, nbytes, self.in_use(), memory.reserved()))
            return buffer

        return allocate

    @property
    def used(self):
        """Whether there was any command."""
        return bool(self._pending or self.commands)

    def in_use(self):
        """The bytes that tensors take on the device now."""
        pools = self.device.memory.pools
        return pools[0].active_bytes if len(pools) == 1 else sum([pool.active_bytes for pool in pools])

    def forget(self):
        """Drop what was noted so far."""
        with self._lock:
            self._pending.clear()
            self.commands.clear()
            self.allocations.clear()

    def settle(self, wait=False):
        """Read the times of the commands that are done, in order; wait: of all."""
        with self._lock:
            while self._pending and (wait or self._pending[0][6].command_execution_status <= 0):
                command = self._pending.popleft()
                command[6:] = self._times(command[6], command[4], command[5])
                self.commands.append(command)
            self._limit = len(self._pending) + _SETTLE

    def _times(self, event, at, after):
        """(begin, end) of a command on the device's clock."""
        try:
            event.wait()  # one that is done as well: the driver may still be noting when
            times = event.profile
            begin, end = times.start, times.end
            if len(self._clocks) < _SAMPLES:
                self._clocks.append((at - times.queued, after - times.queued))
        except pyopencl().Error:
            return None, None
        return (begin, end) if end else (None, None)

    def _translate(self):
        """Put all times on the host's clock: each command was enqueued while its call ran."""
        if not self._clocks:
            return
        low, high = max(a for a, _ in self._clocks), min(b for _, b in self._clocks)
        middle = sorted((a + b) // 2 for a, b in self._clocks)
        offset = (low + high) // 2 if low <= high else middle[len(middle) // 2]
        for command in self.commands:
            if command[6] is not None:
                command[6] += offset
                command[7] += offset


def _copied(queue, dst, src, byte_count=None, **options):
    """What a copy does, and its bytes."""
    if isinstance(dst, np.ndarray):
        return READ, dst.nbytes
    return (WRITE, src.nbytes) if isinstance(src, np.ndarray) else (COPY, byte_count)


def _filled(queue, buffer, pattern, offset, nbytes, **options):
    return FILL, nbytes
