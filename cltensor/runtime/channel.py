"""Channel: an in-order queue with its buffer pool and all enqueue operations.

Some CPU drivers offer their processor as a second device that runs everything in the calling thread (Entry.inline).
An InlineChannel sends small work to a queue of that device while its main queue is idle: this wakes no other thread and
keeps the order of the calls.
"""

import time

from . import loader

ARENA = 1 << 20  # bytes
_READ_TRIES = 3  # waits for other threads' work, before a read is enqueued behind it
_SMALL_COPY = 256 << 10  # bytes; copying these takes less time than waking another thread


class Channel:
    """A queue and its pool.  Callers hold the device's lock around submit, write_now, write, copy, fill, mark and wait_for,
    but never while they wait for other threads.

    arena: ARENA bytes of temporary memory.  All launches share it, since they run in order.  None without a pool.
    """

    def __init__(self, new_queue, memory):
        cl = loader.pyopencl()
        self.queue = new_queue()
        self.pool = memory.add_pool(self.queue)
        self.arena = memory.new_buffer(ARENA) if memory.pooled else None
        self.launch, self.transfer, self.filling = cl.enqueue_nd_range_kernel, cl.enqueue_copy, cl.enqueue_fill_buffer
        self.lent = False

    def replace(self, queue, inline=None):
        """Go on in other queues, with the same pool.  The old ones must be done.  Returns what to give to go back."""
        before, self.queue = self.queue, queue
        return before, None

    def renew(self, new_queue, memory):
        """Switch to a new queue.  The old one must be done."""
        self.queue = new_queue()
        self.pool = memory.replace_pool(self.pool, self.queue)

    def lend(self):
        """The queue, for the caller to enqueue on."""
        self.lent = True
        return self.queue

    def submit(self, launch):
        """Enqueue a Launch."""
        self.launch(self.queue, launch.kernel, launch.global_size, launch.local_size)

    def read(self, array, buffer, offset, lock):
        """Copy from `buffer` to `array` after everything enqueued before, and wait for it.

        lock: the device's; the caller does not hold it.  It is taken only while this thread copies.
        """
        self.transfer(self.queue, array, buffer, src_offset=offset, is_blocking=True)

    def write_now(self, buffer, offset, array):
        """Copy `array` (contiguous) to `buffer` if that needs no waiting.  Returns whether it was copied."""
        return False

    def write(self, buffer, offset, array):
        """Enqueue a copy of `array` (contiguous) to `buffer`.  Returns the event, which keeps the array alive."""
        return self.transfer(self.queue, buffer, array, dst_offset=offset, is_blocking=False)

    def copy(self, dst, dst_offset, src, src_offset, nbytes):
        """Enqueue a copy between buffers."""
        return self._copy(self.queue, dst, dst_offset, src, src_offset, nbytes)

    def _copy(self, queue, dst, dst_offset, src, src_offset, nbytes):
        return self.transfer(queue, dst, src, byte_count=nbytes, src_offset=src_offset, dst_offset=dst_offset)

    def fill(self, buffer, offset, nbytes, pattern):
        """Enqueue filling with a repeated pattern."""
        return self._fill(self.queue, buffer, offset, nbytes, pattern)

    def _fill(self, queue, buffer, offset, nbytes, pattern):
        return self.filling(queue, buffer, pattern, offset, nbytes)

    def mark(self):
        """Enqueue a marker and return its event."""
        event = loader.pyopencl().enqueue_marker(self.queue)
        self.queue.flush()  # another queue may wait for it
        return event

    def wait_for(self, event):
        """Make everything enqueued from now on start after `event`.  Returns the barrier's event."""
        return loader.pyopencl().enqueue_barrier(self.queue, wait_for=[event])


class InlineChannel(Channel):
    """A Channel with a second queue, `inline`, whose commands are done when the enqueue call returns.

    PoCL deadlocks when one thread enqueues on it while another runs a command: use it only under the device's lock.
    """

    def __init__(self, new_queue, memory, inline):
        super().__init__(new_queue, memory)
        self.inline = inline
        self.last = None  # the event of the last command in `queue`; None when that is known to be done

    def replace(self, queue, inline=None):
        """See Channel."""
        before, _ = super().replace(queue)
        inside, self.inline, self.last = self.inline, inline or self.inline, None
        return before, inside

    def lend(self):
        """The queue, for the caller to enqueue on.  From then on all work goes there, none to `inline`."""
        self.lent = True
        self.mark()  # from now on there is a `last`, and _settled() is never true
        return self.queue

    def _settled(self):
        """Whether `queue` is done."""
        if self.last is None:
            return True
        if self.lent or self.last.command_execution_status > 0:
            return False
        self.last = None
        return True

    def submit(self, launch):
        """Enqueue a Launch, or run it."""
        inline = launch.inline
        if inline and (self.last is None or self._settled()):  # hot path: the first test saves the call
            if inline is True:
                event = self.launch(self.inline, launch.kernel, launch.global_size, launch.local_size)
                if event.command_execution_status:  # the allocation of a new buffer may still be pending in `queue`
                    event.wait()
            else:
                start = time.perf_counter()
                self.launch(self.inline, launch.kernel, launch.global_size, launch.local_size).wait()
                launch.inline = inline.after(time.perf_counter() - start)
        else:
            self.last = self.launch(self.queue, launch.kernel, launch.global_size, launch.local_size)

    def read(self, array, buffer, offset, lock):
        """See Channel."""
        if self.lent:
            super().read(array, buffer, offset, lock)
            return
        for _ in range(_READ_TRIES):
            last = self.last
            if last is not None:
                last.wait()
            with lock:
                if self._settled():  # no other thread has enqueued meanwhile what this read could depend on
                    self.transfer(self.inline, array, buffer, src_offset=offset, is_blocking=True)
                    return
        super().read(array, buffer, offset, lock)

    def write_now(self, buffer, offset, array):
        """See Channel."""
        if not self._settled():
            return False
        self.transfer(self.inline, buffer, array, dst_offset=offset, is_blocking=True)
        return True

    def write(self, buffer, offset, array):
        """See Channel."""
        self.last = super().write(buffer, offset, array)
        return self.last

    def copy(self, dst, dst_offset, src, src_offset, nbytes):
        """See Channel."""
        if nbytes <= _SMALL_COPY and self._settled():
            self._copy(self.inline, dst, dst_offset, src, src_offset, nbytes).wait()
        else:
            self.last = super().copy(dst, dst_offset, src, src_offset, nbytes)

    def fill(self, buffer, offset, nbytes, pattern):
        """See Channel."""
        if nbytes <= _SMALL_COPY and self._settled():
            self._fill(self.inline, buffer, offset, nbytes, pattern).wait()
        else:
            self.last = super().fill(buffer, offset, nbytes, pattern)

    def mark(self):
        """See Channel."""
        self.last = super().mark()
        return self.last

    def wait_for(self, event):
        """See Channel."""
        self.last = super().wait_for(event)
        return self.last
