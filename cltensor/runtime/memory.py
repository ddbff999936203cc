"""Device memory: a caching allocator with torch.cuda's statistics.

Every queue has a pool of its own.  A block that is freed may be handed out again while commands that use it are still
running; that is safe only because both users sit in one in-order queue.
"""

import gc

from ..base import config
from ..base.errors import OutOfMemoryError
from . import host_memory
from .loader import pyopencl

_LEADING_BITS = 4  # blocks are at most 1/16 larger than asked for
_SMALL = 4096  # bytes; blocks that cannot fill a machine's memory before the Python objects for them do
_STEP = 64 << 20  # bytes; what may be taken from the host between two looks at what is left, and what is left alone
_SPARE = 256 << 20  # bytes that a limit has to leave to everything but tensors, at most a quarter


class DeviceMemory:
    """The pools of one device and what is known about them; all sizes in bytes."""

    def __init__(self, context, profile, device_name, synchronize):
        self.context, self.device_name, self.synchronize = context, device_name, synchronize
        self.total, self.largest = profile.global_memory, profile.max_allocation
        self.limit = None  # set by set_fraction
        self.on_host = profile.kind == "cpu"  # its driver refuses nothing, see host_memory.py
        self.allowed, self.checked = host_memory.Room(float("inf"), "machine"), float("inf")
        if self.on_host:
            self.allowed, self.checked = _part_for_tensors(host_memory.allowance()), _STEP
            self.resident = host_memory.resident()
        self.peak = self.peak_reserved = self.retries = self.ooms = 0
        self.pools, self.retired = [], set()
        self.kept = []  # (event, buffer): freed, but used by another stream until the event
        self.pooled = config.memory_pool()

    def add_pool(self, queue):
        """A new pool for the buffers used in `queue`."""
        tools = pyopencl().tools
        if self.pooled:
            pool = tools.MemoryPool(tools.ImmediateAllocator(queue), leading_bits_in_bin_id=_LEADING_BITS)
        else:
            pool = ExactBuffers(self.context)
        self.pools.append(pool)
        return pool

    def new_buffer(self, nbytes):
        """A buffer that is in no pool, and not counted."""
        cl = pyopencl()
        return cl.Buffer(self.context, cl.mem_flags.READ_WRITE, nbytes)

    def drop_pool(self, pool):
        """Give back what `pool` holds; its buffers in use stay valid and are given back when freed."""
        self._retire(pool)

    def replace_pool(self, pool, queue):
        """A new pool for another queue.  The old queue must be done; `pool` lets go of its buffers when freed."""
        self._retire(pool)
        return self.add_pool(queue)

    def _retire(self, pool):
        """Stop reusing `pool`; it is counted as long as buffers of it are in use."""
        self.note_reserved()
        pool.stop_holding()
        self.retired.add(pool)
        self._forget_empty()

    def _forget_empty(self):
        empty = {p for p in self.retired if not p.active_blocks}
        self.retired -= empty
        self.pools = [p for p in self.pools if p not in empty]

    def allocator(self, pool):
        """allocate(nbytes) -> buffer over `pool`; fetch a new one after add_pool, drop_pool or set_fraction."""
        self._forget_empty()
        if len(self.pools) == 1 and self.limit is None:
            return self._fast(pool)
        return self._careful(pool)

    def _fast(self, pool):
        take, largest, error = pool.allocate, self.largest, pyopencl().Error
        small = _SMALL if self.on_host else largest  # a larger block may be more than the host has left

        def allocate(nbytes):
            if nbytes > largest:
                raise self.too_large(nbytes)
            try:
                buffer = take(nbytes)
            except error as e:
                self.note_reserved()
                return self._retry(pool, nbytes, e)
            if nbytes > small and pool.managed_bytes > self.checked and not self.fits():
                del buffer
                return self._retry(pool, nbytes, None)
            if pool.active_bytes > self.peak:
                self.peak = pool.active_bytes
            return buffer
        return allocate

    def fits(self):
        """Whether the host has what is reserved; where it has, notes how much more may be reserved before it is asked again."""
        reserved = self.reserved()
        if reserved > min(self.total, self.allowed.nbytes):
            return False
        unused = reserved - (host_memory.resident() - self.resident)  # so far, so that it is not missing anywhere yet
        if unused > host_memory.room().nbytes - _STEP or host_memory.address_room().nbytes < _STEP:
            return False
        self.checked = reserved + _STEP
        return True

    def _careful(self, pool):
        """As _fast, over several pools or under a limit."""
        take, largest, error, pools = pool.allocate, self.largest, pyopencl().Error, self.pools
        limit = float("inf") if self.limit is None else self.limit

        def allocate(nbytes):
            if nbytes > largest:
                raise self.too_large(nbytes)
            try:
                buffer = take(nbytes)
            except error as e:
                return self._retry(pool, nbytes, e)
            active = reserved = 0
            for p in pools:
                active += p.active_bytes
                reserved += p.managed_bytes
            if reserved > limit or (reserved > self.checked and not self.fits()):
                del buffer
                return self._retry(pool, nbytes, None)
            if active > self.peak:
                self.peak = active
            if reserved > self.peak_reserved:
                self.peak_reserved = reserved
            return buffer
        return allocate

    def _retry(self, pool, nbytes, cause):
        """One more try after everything unused has been given back.  Raises OutOfMemoryError."""
        self.retries += 1
        gc.collect()
        self.synchronize()
        self._release()
        buffer = None
        try:
            buffer = pool.allocate(nbytes)
        except pyopencl().Error as e:
            cause = e
        if buffer is None or self.over_limit() or (self.reserved() > self.checked and not self.fits()):
            del buffer
            self._release()
            self.ooms += 1
            raise self.out_of_memory(nbytes, cause) from None
        self.peak = max(self.peak, self.allocated())
        return buffer

    def keep(self, event, buffer):
        """Hold a buffer that nothing refers to any more until `event` is complete."""
        self.let_go()
        self.kept.append((event, buffer))

    def let_go(self):
        """Give back the kept buffers whose events are complete."""
        complete = pyopencl().command_execution_status.COMPLETE
        self.kept = [(event, buffer) for event, buffer in self.kept if event.command_execution_status > complete]

    def over_limit(self):
        return self.limit is not None and self.reserved() > self.limit

    def free_held(self):
        """Return every block that is not in use to the driver."""
        self.note_reserved()
        self._release()

    def _release(self):
        self.let_go()
        for pool in self.pools:
            pool.free_held()
        if self.on_host:
            self.checked = min(self.checked, self.reserved() + _STEP)

    def note_reserved(self):
        """Remember what is reserved now as a peak, before it may shrink."""
        self.peak_reserved = max(self.peak_reserved, self.reserved())

    def allocated(self):
        self.let_go()
        return sum(p.active_bytes for p in self.pools)

    def reserved(self):
        return sum(p.managed_bytes for p in self.pools)

    def max_reserved(self):
        return max(self.peak_reserved, self.reserved(), self.peak)

    def reset_peaks(self):
        self.peak, self.peak_reserved = self.allocated(), self.reserved()

    def set_fraction(self, fraction):
        """Cap what is reserved at this fraction of the device's memory; None or 1 lifts the cap."""
        self.limit = None if fraction is None or fraction >= 1 else int(fraction * self.total)

    def too_large(self, nbytes):
        return OutOfMemoryError(
            f"{self.device_name} takes at most {readable(self.largest)} in one allocation; {readable(nbytes)} "
            f"({nbytes} bytes) were asked for. Split the tensor, or use a smaller dtype")

    def out_of_memory(self, nbytes, cause):
        allocated, reserved = self.allocated(), self.reserved()
        cap = f" The limit set is {readable(self.limit)}." if self.limit is not None else self._bound()
        reason = f" The driver said: {cause}." if cause else ""
        return OutOfMemoryError(
            f"{self.device_name} is out of memory: tried to allocate {readable(nbytes)} ({nbytes} bytes) with "
            f"{readable(allocated)} in use and {readable(reserved)} reserved, of {readable(self.total)} in all.{cap}"
            f"{reason} Free tensors that are no longer needed (del x), use smaller batches, or run without gradients "
            "(cltensor.no_grad()) where none are wanted")


    def _bound(self):
        """What bounds this process's memory, as a sentence, where the device is the host."""
        if not self.on_host:
            return ""
        left = host_memory.Room.smallest(host_memory.room(), host_memory.address_room())
        bound = min(self.allowed, left).bound
        if bound == "machine":
            return f" The machine has {readable(int(left.nbytes))} left." if left.nbytes < self.total else ""
        cure = f"{bound} unlimited" if bound.startswith("ulimit") else "give the container more memory"
        return f" This process is bounded by its {bound}; raise that ({cure}) where it may have more."


def _part_for_tensors(room):
    return room._replace(nbytes=max(room.nbytes - _SPARE, room.nbytes * 3 // 4))


class ExactBuffers:
    """Stands in for a pool: one driver buffer of the exact size for each tensor, so that checkers see overruns."""

    held_blocks = 0

    def __init__(self, context):
        cl = pyopencl()
        self.active_bytes = self.active_blocks = 0
        pool = self

        class ExactBuffer(cl.Buffer):
            def __init__(self, nbytes):
                super().__init__(context, cl.mem_flags.READ_WRITE, max(nbytes, 1))  # OpenCL has no empty buffers
                self.nbytes = nbytes
                pool.active_bytes += nbytes
                pool.active_blocks += 1

            def __del__(self):
                pool.active_bytes -= getattr(self, "nbytes", 0)
                pool.active_blocks -= hasattr(self, "nbytes")

        self._make = ExactBuffer

    @property
    def managed_bytes(self):
        return self.active_bytes

    def allocate(self, nbytes):
        return self._make(nbytes)

    def free_held(self):
        """Nothing is held."""

    stop_holding = free_held


def readable(nbytes):
    """nbytes as text: 1536 -> "1.50 KiB"."""
    step = min(max(nbytes.bit_length() - 1, 0) // 10, 4)
    return f"{nbytes} bytes" if step == 0 else f"{nbytes / 1024**step:.2f} {('KiB', 'MiB', 'GiB', 'TiB')[step - 1]}"
