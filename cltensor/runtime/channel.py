"""Channel: an in-order queue, the pool of the buffers used in it, and every way to enqueue.

Some CPU drivers show their processor a second time, as a device that runs everything in the calling thread (Entry.inline).
There, an InlineChannel gives small work to a queue of that device while nothing else is under way: no thread is woken for
it, and the order stays that of the calls.
"""

import time

from . import loader

ARENA = 1 << 20  # bytes
_READ_TRIES = 3  # waits for other threads' work before a read queues up behind it
_SMALL_COPY = 256 << 10  # bytes; copied before another thread would have been woken


class Channel:
    """A queue and its pool.  Callers hold the device's lock around submit, write_now, write, copy, fill, mark and wait_for, and
    around nothing that waits for other threads.

    arena: ARENA bytes for anything temporary, shared by all launches since they follow one another; None without a pool.
    """

    def __init__(self, new_queue, memory):
        cl = loader.pyopencl()
        self.queue = new_queue()
        self.pool = memory.add_pool(self.queue)
        self.arena = memory.new_buffer(ARENA) if memory.pooled else None
        self.launch, self.transfer = cl.enqueue_nd_range_kernel, cl.enqueue_copy

    def renew(self, new_queue, memory):
        """Go over to another queue.  The present one must be done."""
        self.queue = new_queue()
        self.pool = memory.replace_pool(self.pool, self.queue)

    def lend(self):
        """The queue, for others to enqueue on as they like."""
        return self.queue

    def submit(self, launch):
        """Enqueue a Launch."""
        self.launch(self.queue, launch.kernel, launch.global_size, launch.local_size)

    def read(self, array, buffer, offset, lock):
        """Copy from `buffer` to `array` when everything enqueued before is done, and wait for that.

        lock: the device's.  It is not held, save while this thread copies.
        """
        self.transfer(self.queue, array, buffer, src_offset=offset, is_blocking=True)

    def write_now(self, buffer, offset, array):
        """Copy `array` (contiguous) to `buffer` and return True where that takes no waiting."""
        return False

    def write(self, buffer, offset, array):
        """Enqueue copying `array` (contiguous) to `buffer`, and return the event, which keeps the array."""
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
        return loader.pyopencl().enqueue_fill_buffer(queue, buffer, pattern, offset, nbytes)

    def mark(self):
        """The event of a new marker."""
        event = loader.pyopencl().enqueue_marker(self.queue)
        self.queue.flush()  # another queue may wait for it
        return event

    def wait_for(self, event):
        """Let what is enqueued from now on start after `event`, and return an event for that."""
        return loader.pyopencl().enqueue_barrier(self.queue, wait_for=[event])


class InlineChannel(Channel):
    """A Channel with a second queue, `inline`, which has run what it is given when enqueuing returns.

    PoCL deadlocks when a thread enqueues there while another is running something, so this is done under the device's lock only.
    """

    def __init__(self, new_queue, memory, inline):
        super().__init__(new_queue, memory)
        self.inline = inline
        self.last = None  # the event of the last thing given to `queue`, None when that is known to be done
        self.lent = False

    def lend(self):
        """The queue, for others to enqueue on as they like.  From then on everything of ours goes there as well."""
        self.lent = True
        self.mark()  # from now on there is a `last`, and it is never settled
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
        if inline and (self.last is None or self._settled()):  # the hot path: mostly no call
            if inline is True:
                event = self.launch(self.inline, launch.kernel, launch.global_size, launch.local_size)
                if event.command_execution_status:  # a buffer that is new may still be under way in `queue`
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
                if self._settled():  # nothing is under way that others gave out meanwhile, and that this could depend on
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
