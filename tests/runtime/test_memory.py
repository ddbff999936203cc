"""Device memory: reuse, counts, limits, and running out of memory."""

import gc
import os
import subprocess
import sys

import numpy as np
import pytest

from cltensor import opencl
from cltensor.base.errors import ArgumentError, OutOfMemoryError
from cltensor.runtime.memory import DeviceMemory, ExactBuffers, readable

pytestmark = pytest.mark.device
MIB = 2**20


@pytest.fixture(autouse=True)
def clean(device):
    """No cached blocks and no limit, before and after."""
    gc.collect()
    opencl.empty_cache()
    yield
    opencl.set_per_process_memory_fraction(1.0)
    opencl.empty_cache()


@pytest.fixture
def pooled(device):
    """Skip where every tensor has a buffer of its own."""
    if isinstance(device.channel.pool, ExactBuffers):
        pytest.skip("CLTENSOR_MEMORY_POOL=0")


@pytest.fixture
def limited(device):
    """limited(nbytes) lets tensors use this much more than now."""

    def limit(nbytes):
        total = opencl.mem_get_info()[1]
        opencl.set_per_process_memory_fraction((opencl.memory_reserved() + nbytes) / total)

    return limit


@pytest.mark.parametrize("nbytes", [0, 1, 3, 1023, 1024, 1025, 100_000, 5 * MIB])
def test_buffer_holds_what_was_asked_for(device, nbytes):
    buffer = device.allocate(nbytes)
    assert buffer.size >= nbytes
    data = np.arange(nbytes, dtype=np.uint64).astype(np.uint8)
    device.write(buffer, 0, data)
    result = np.zeros_like(data)
    device.read(buffer, 0, result)
    assert (result == data).all()


def test_freed_block_is_reused(device, pooled):
    address = device.allocate(MIB).int_ptr
    reserved = opencl.memory_reserved()
    assert device.allocate(MIB).int_ptr == address
    assert opencl.memory_reserved() == reserved


def test_rounding_wastes_at_most_a_sixteenth(device, pooled):
    for nbytes in (1000, 1025, 12345, MIB + 1):
        before = opencl.memory_reserved()
        buffer = device.allocate(nbytes)
        assert opencl.memory_reserved() - before <= nbytes * 17 / 16 + 1
        del buffer
        opencl.empty_cache()


def test_counting(device):
    start = opencl.memory_allocated()
    opencl.reset_peak_memory_stats()
    a, b = device.allocate(MIB), device.allocate(2 * MIB)
    assert opencl.memory_allocated() - start == 3 * MIB
    assert opencl.memory_stats()["allocated_bytes.all.current"] - start == 3 * MIB
    del a, b
    assert opencl.memory_allocated() == start
    assert opencl.max_memory_allocated() - start == 3 * MIB
    assert opencl.max_memory_reserved() >= 3 * MIB
    opencl.empty_cache()
    assert opencl.max_memory_reserved() >= 3 * MIB
    opencl.reset_peak_memory_stats()
    assert opencl.max_memory_allocated() == start
    assert opencl.max_memory_reserved() == opencl.memory_reserved()


def test_empty_cache_gives_back_what_is_free_and_only_that(device, pooled):
    kept = device.allocate(MIB)
    device.allocate(3 * MIB)
    held = opencl.memory_stats()["inactive_blocks.all.current"]
    assert held >= 1
    opencl.empty_cache()
    assert opencl.memory_stats()["inactive_blocks.all.current"] == 0
    assert MIB <= opencl.memory_reserved() - opencl.memory_allocated() + MIB < 2 * MIB
    data = np.ones(MIB, np.uint8)
    device.write(kept, 0, data)
    device.read(kept, 0, data)


def test_free_and_total(device):
    free, total = opencl.mem_get_info()
    assert total == device.profile.global_memory
    buffer = device.allocate(4 * MIB)
    assert opencl.mem_get_info()[0] <= free - 4 * MIB
    del buffer


def test_limit_is_kept_and_the_error_says_everything(device, limited):
    limited(10 * MIB)
    opencl.reset_peak_memory_stats()
    before = opencl.memory_stats()
    held = [device.allocate(4 * MIB) for _ in range(2)]
    used = opencl.memory_allocated() / MIB  # tables of earlier tests included
    with pytest.raises(OutOfMemoryError) as e:
        device.allocate(4 * MIB)
    text = str(e.value)
    for part in (device.name, "tried to allocate 4.00 MiB (4194304 bytes)", f"{used:.2f} MiB in use", "reserved",
                 "The limit set is", "del x", "no_grad"):
        assert part in text
    after = opencl.memory_stats()
    assert after["num_ooms"] == before["num_ooms"] + 1
    assert after["num_alloc_retries"] == before["num_alloc_retries"] + 1
    assert opencl.max_memory_reserved() <= before["reserved_bytes.all.current"] + 10 * MIB
    del held[0]
    assert device.allocate(4 * MIB).size >= 4 * MIB  # it works on


def test_cached_blocks_are_given_up_before_failing(device, pooled, limited):
    limited(10 * MIB)
    device.allocate(3 * MIB), device.allocate(4 * MIB)  # free again, but held
    before = opencl.memory_stats()["num_ooms"]
    assert device.allocate(9 * MIB).size >= 9 * MIB
    assert opencl.memory_stats()["num_ooms"] == before


def test_garbage_in_circles_is_collected_before_failing(device, limited):
    limited(10 * MIB)
    circle = [device.allocate(8 * MIB)]
    circle.append(circle)
    del circle
    assert device.allocate(8 * MIB).size >= 8 * MIB


def test_retry_waits_for_the_queue(device, limited, monkeypatch):
    limited(MIB)
    waited = []
    monkeypatch.setattr(device.memory, "synchronize", lambda: waited.append(True))
    with pytest.raises(OutOfMemoryError):
        device.allocate(2 * MIB)
    assert waited


def test_lifting_the_limit(device, limited):
    limited(MIB)
    opencl.set_per_process_memory_fraction(1.0)
    assert device.allocate(2 * MIB).size >= 2 * MIB


@pytest.mark.parametrize("fraction", [-0.1, 1.1, "half", None, True, float("nan")])
def test_wrong_fraction(fraction):
    with pytest.raises(ArgumentError, match="fraction must be a number from 0 to 1"):
        opencl.set_per_process_memory_fraction(fraction)


def test_more_than_one_allocation_may_hold_is_refused_before_the_driver_is_asked(device, monkeypatch):
    nbytes = device.profile.max_allocation + 1
    retries = opencl.memory_stats()["num_alloc_retries"]
    with pytest.raises(OutOfMemoryError, match=rf"at most .* in one allocation; .*\({nbytes} bytes\) were asked for"):
        device.allocate(nbytes)
    assert opencl.memory_stats()["num_alloc_retries"] == retries


def test_failure_of_the_driver_is_retried_then_reported(device):
    """A pool whose driver fails: once, so that the retry succeeds; then for good."""
    from cltensor.runtime.loader import pyopencl

    class Failing:
        active_bytes = managed_bytes = active_blocks = held_blocks = 0
        failures = freed = 0

        def allocate(self, nbytes):
            if self.failures:
                self.failures -= 1
                raise pyopencl().MemoryError("clCreateBuffer failed: MEM_OBJECT_ALLOCATION_FAILURE")
            return "buffer"

        def free_held(self):
            self.freed += 1

    pool = Failing()
    memory = DeviceMemory(device.context, device.profile, "a device", lambda: None)
    memory.pools.append(pool)
    allocate = memory.allocator(pool)
    pool.failures = 1
    assert allocate(100) == "buffer"
    assert (pool.freed, memory.retries, memory.ooms) == (1, 1, 0)
    pool.failures = 2
    with pytest.raises(OutOfMemoryError, match="The driver said: clCreateBuffer failed: MEM_OBJECT_ALLOCATION_FAILURE"):
        allocate(100)
    assert memory.ooms == 1


def test_summary_reads_well(device):
    buffer = device.allocate(3 * MIB)
    text = opencl.memory_summary()
    assert text.startswith(f"Memory of {device}, {device.name}\n")
    assert "In use by tensors" in text
    assert f"{readable(opencl.memory_allocated()):>16}" in text
    del buffer


@pytest.mark.parametrize(("nbytes", "text"), [
    (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.00 KiB"), (1536, "1.50 KiB"), (2**31, "2.00 GiB"),
    (5 * 2**40, "5.00 TiB"), (2**50, "1024.00 TiB"),
])
def test_readable(nbytes, text):
    assert readable(nbytes) == text


def test_without_a_pool_buffers_have_their_exact_size():
    program = """
from cltensor import opencl
from cltensor.runtime.device import default_device
d = default_device()
a, b = d.allocate(1001), d.allocate(0)
assert a.size == 1001, a.size
assert opencl.memory_allocated() == opencl.memory_reserved() == 1001
del a
assert opencl.memory_allocated() == 0 and opencl.max_memory_allocated() == 1001
"""
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "CLTENSOR_MEMORY_POOL": "0"})
