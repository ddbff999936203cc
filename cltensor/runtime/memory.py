"""Device memory: a caching allocator with torch.cuda's statistics.

Every queue has its own pool.  A freed block may be reused while commands that use it still run.  That is safe only because
the old and the new user share one in-order queue.
"""

import gc

from ..base import config
from ..base.errors import OutOfMemoryError
from . import host_memory
from .loader import pyopencl

_LEADING_BITS = 4  # blocks are at most 1/16 larger than asked for
_SMALL = 4096  # bytes; up to here no check: the tensors' Python objects would fill the host's memory first
_STEP = 64 << 20  # bytes; reserve at most this much between two checks of the host's memory, and always leave this much free
_SPARE = 256 << 20  # bytes of a limit that are not for tensors, but at most a quarter of it


class DeviceMemory:
    """The pools of one device and their statistics; all sizes in bytes."""

    def __init__(self, context, profile, device_name, synchronize):
        self.context, self.device_name, self.synchronize = context, device_name, synchronize
        self.total, self.largest = profile.global_memory, profile.max_allocation
        self.limit = None  # set by set_fraction
        self.on_host = profile.kind == "cpu"  # CPU drivers refuse no allocation, see host_memory.py
        self.allowed, self.checked = host_memory.Room(float("inf"), "machine"), float("inf")
        if self.on_host:
            self.allowed, self.checked = _part_for_tensors(host_memory.allowance()), _STEP
            self.resident = host_memory.resident()
        self.peak = self.peak_reserved = self.retries = self.ooms = 0
        self.pools, self.retired = [], set()
        self.kept = []  # (event, buffer): freed buffers that another stream uses until the event
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
        """A buffer outside the pools, not counted."""
        cl = pyopencl()
        return cl.Buffer(self.context, cl.mem_flags.READ_WRITE, nbytes)

    def drop_pool(self, pool):
        """Release the unused blocks of `pool`; buffers in use stay valid and are released when freed."""
        self._retire(pool)

    def replace_pool(self, pool, queue):
        """A new pool for another queue.  The old queue must be done; buffers of `pool` are released when freed."""
        self._retire(pool)
        return self.add_pool(queue)

    def _retire(self, pool):
        """Stop reusing blocks of `pool`; count it as long as any of its buffers is in use."""
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
        small = _SMALL if self.on_host else largest  # check the host's memory for larger blocks

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
        """Whether the host's memory holds all that is reserved; if so, sets how much may be reserved before the next check."""
        reserved = self.reserved()
        if reserved > min(self.total, self.allowed.nbytes):
            return False
        unused = reserved - (host_memory.resident() - self.resident)  # reserved but not touched yet: still free on the host
        if unused > host_memory.room().nbytes - _STEP or host_memory.address_room().nbytes < _STEP:
            return False
        self.checked = reserved + _STEP
        return True

    def _careful(self, pool):
        """Like _fast, for several pools or a limit."""
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
        """Release everything unused and try once more.  Raises OutOfMemoryError."""
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
        """Hold an otherwise unreferenced buffer until `event` is complete."""
        self.let_go()
        self.kept.append((event, buffer))

    def let_go(self):
        """Drop the kept buffers whose events are complete."""
        complete = pyopencl().command_execution_status.COMPLETE
        self.kept = [(event, buffer) for event, buffer in self.kept if event.command_execution_status > complete]

    def over_limit(self):
        return self.limit is not None and self.reserved() > self.limit

    def free_held(self):
        """Return every unused block to the driver."""
        self.note_reserved()
        self._release()

    def _release(self):
        self.let_go()
        for pool in self.pools:
            pool.free_held()
        if self.on_host:
            self.checked = min(self.checked, self.reserved() + _STEP)

    def note_reserved(self):
        """Update the peak of reserved bytes before they shrink."""
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
        """Cap the reserved bytes at this fraction of the device's memory; None or 1 lifts the cap."""
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
        """A sentence on what bounds this process's memory; empty unless the device is the host's CPU."""
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
    """Replaces a pool: one driver buffer of the exact size per tensor, so that bounds checkers see overruns."""

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
        """Nothing: no block is kept for reuse."""

    stop_holding = free_held


def readable(nbytes):
    """nbytes as text: 1536 -> "1.50 KiB"."""
    step = min(max(nbytes.bit_length() - 1, 0) // 10, 4)
    return f"{nbytes} bytes" if step == 0 else f"{nbytes / 1024**step:.2f} {('KiB', 'MiB', 'GiB', 'TiB')[step - 1]}"
