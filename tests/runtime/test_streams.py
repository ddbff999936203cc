"""Streams and events: order, waiting, timing, and a pool for each stream."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import cltensor as ct
from cltensor import opencl
from cltensor.base.errors import ArgumentError, ArgumentTypeError
from cltensor.runtime.memory import ExactBuffers

from .kernels import SPIN, add_source, launch

pytestmark = pytest.mark.device
LONG = np.int64(2 * 10**7)  # some tens of milliseconds


@pytest.fixture
def spin(device):
    """spin() keeps the current stream busy; returns the buffer it writes to."""
    if "one-thread" in device.profile.quirks:
        pytest.skip(f"{device.name} runs everything at once, and slowly")
    kernel = device.kernel(SPIN, "spin")

    def start(rounds=LONG):
        buffer = device.allocate(4)
        device.fill(buffer, 0, 4, bytes(4))
        launch(device, kernel, buffer, rounds)
        return buffer

    return start


def test_default_stream_is_current(device):
    assert opencl.current_stream() is opencl.default_stream()
    assert opencl.current_stream(device).device is device
    assert opencl.default_stream()._channel is device.channel


def test_work_goes_to_the_stream_in_use(device):
    s = opencl.Stream()
    before = device.channel
    with opencl.stream(s) as entered:
        assert entered is s
        assert opencl.current_stream() is s
        assert device.channel is s._channel is not before
        with opencl.stream(opencl.default_stream()):
            assert device.channel is before
        assert device.channel is s._channel
    assert device.channel is before
    assert opencl.current_stream() is opencl.default_stream()


def in_a_thread(work):
    """What work() gives, or raises, in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(60)


def test_each_thread_has_its_own_current_stream(device):
    s, other = opencl.Stream(), opencl.Stream()

    def work():
        at_first = opencl.current_stream(device)
        with opencl.stream(other):
            return at_first, opencl.current_stream(), device.channel

    with opencl.stream(s):
        assert in_a_thread(work) == (opencl.default_stream(device), other, other._channel)
        assert opencl.current_stream() is s
        assert device.channel is s._channel


def test_each_thread_has_its_own_default_device(device):
    def work():
        before = ct.get_default_device()
        with device:
            return before, ct.get_default_device()

    with device:
        assert ct.get_default_device() is device
        assert in_a_thread(work)[1] is device
    assert in_a_thread(lambda: ct.set_default_device(device) or ct.get_default_device()) is device


def test_work_of_threads_goes_to_their_streams(device, monkeypatch):
    streams = [opencl.Stream() for _ in range(4)]
    given = {s: [] for s in streams}
    for s in streams:
        submit = s._channel.submit
        monkeypatch.setattr(s._channel, "submit", lambda launch, s=s, submit=submit: given[s].append(launch) or submit(launch))

    def work(i):
        with opencl.stream(streams[i]):
            x = ct.full((33, 70), float(i))
            for _ in range(20):
                x = x + (x @ x.mT).sum() * 0 + x.sum(1, keepdim=True) * 0
            return x.sum().item()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [i * 33 * 70 for i in range(4)]
    counts = {len(launches) for launches in given.values()}
    assert len(counts) == 1
    assert counts.pop() >= 20 * 7


def test_stream_left_by_an_exception(device):
    with pytest.raises(KeyError), opencl.stream(opencl.Stream()):
        raise KeyError
    assert opencl.current_stream() is opencl.default_stream()


def test_stream_is_a_context_manager_and_can_be_entered_twice(device):
    s = opencl.Stream()
    with s, s:
        assert opencl.current_stream() is s
    assert opencl.current_stream() is opencl.default_stream()


def test_no_stream_changes_nothing(device):
    with opencl.stream(None):
        assert opencl.current_stream() is opencl.default_stream()
    opencl.set_stream(None)
    assert opencl.current_stream() is opencl.default_stream()


def test_set_stream(device):
    s = opencl.Stream(device)
    opencl.set_stream(s)
    assert opencl.current_stream() is s
    opencl.set_stream(opencl.default_stream())
    with pytest.raises(ArgumentTypeError, match="expected a Stream"):
        opencl.set_stream(device)


def test_equality_and_repr(device):
    s = opencl.Stream()
    assert s != opencl.default_stream()
    assert len({s, s, opencl.default_stream()}) == 2
    assert repr(opencl.default_stream()) == f"<cltensor.opencl.Stream default on {device}>"
    assert "default" not in repr(s)


def soon(question):
    """Whether question() becomes true within a second; a busy machine may not notice at once that a queue is idle."""
    deadline = time.perf_counter() + 1
    while time.perf_counter() < deadline:
        if question():
            return True
    return False


def test_query_and_synchronize(spin):
    s = opencl.Stream()
    assert soon(s.query)
    with opencl.stream(s):
        spin()
    assert not s.query()
    assert not s.query()
    s.synchronize()
    assert soon(s.query)


def test_query_comes_true_without_synchronizing(spin):
    s = opencl.Stream()
    with opencl.stream(s):
        spin()
    assert soon(s.query)


def test_device_waits_for_every_stream(device, spin):
    s = opencl.Stream()
    with opencl.stream(s):
        spin()
        mark = s.record_event()
    opencl.synchronize()
    assert mark.query()


def test_event_tells_when_work_is_done(spin):
    event = opencl.Event()
    assert event.query()  # never recorded
    event.synchronize()
    spin()
    event.record()
    assert not event.query()
    event.synchronize()
    assert event.query()


@pytest.mark.parametrize("how", ["wait_stream", "wait_event", "event.wait"])
def test_one_stream_waits_for_another(device, spin, how):
    add = device.kernel(add_source(3), "add")
    first, second = opencl.Stream(), opencl.Stream()
    with opencl.stream(first):
        shared = spin()
        event = first.record_event()
    device.kernel(SPIN, "spin")
    if how == "wait_stream":
        second.wait_stream(first)
    elif how == "wait_event":
        second.wait_event(event)
    else:
        event.wait(second)
    with opencl.stream(second):
        launch(device, add, shared, np.int64(1))
        result = np.empty(1, np.uint32)
        device.read(shared, 0, result)
    alone = spin()
    expected = np.empty(1, np.uint32)
    device.read(alone, 0, expected)
    assert result[0] == np.uint32((int(expected[0]) + 3) % 2**32)


def test_elapsed_time(device, spin):
    start, end = opencl.Event(enable_timing=True), opencl.Event(enable_timing=True)
    opencl.synchronize()
    start.record()
    begun = time.perf_counter()
    spin()
    end.record()
    end.synchronize()
    host = (time.perf_counter() - begun) * 1e3
    assert 0 < start.elapsed_time(end) <= host * 1.05 + 0.5
    assert start.elapsed_time(end) >= host * 0.5
    assert end.elapsed_time(start) == -start.elapsed_time(end)


def test_elapsed_time_by_the_hosts_clock(device, spin, monkeypatch):
    opencl.Event(enable_timing=True).record()
    monkeypatch.setattr(device, "timestamps", False)
    start, end = opencl.Event(enable_timing=True), opencl.Event(enable_timing=True)
    start.record()
    spin()
    end.record()
    assert end.query()
    assert 1 < start.elapsed_time(end) < 10_000


def test_elapsed_time_refuses_what_it_cannot_measure(spin):
    timed, plain, unrecorded = opencl.Event(True), opencl.Event(), opencl.Event(True)
    timed.record(), plain.record()
    opencl.synchronize()
    with pytest.raises(ArgumentError, match=r"the end event does not time; make it with Event\(enable_timing=True\)"):
        timed.elapsed_time(plain)
    with pytest.raises(ArgumentError, match="the start event was never recorded"):
        unrecorded.elapsed_time(timed)
    running = opencl.Event(True)
    spin()
    running.record()
    with pytest.raises(ArgumentError, match="the end event is not done yet"):
        timed.elapsed_time(running)
    running.synchronize()
    assert timed.elapsed_time(running) > 0


def test_buffers_stay_valid_when_timing_begins(device):
    """Timing replaces the queues; earlier buffers keep working and are counted until they are freed."""
    gc.collect()  # what earlier tests left
    start = opencl.memory_allocated()
    buffer = device.allocate(4000)
    device.write(buffer, 0, np.arange(1000, dtype=np.int32))
    device.profiling = False
    device.enable_profiling()
    result = np.empty(1000, np.int32)
    device.read(buffer, 0, result)
    assert (result == np.arange(1000)).all()
    assert opencl.memory_allocated() == start + 4000
    del buffer
    assert opencl.memory_allocated() == start


def test_interprocess_events_are_refused():
    with pytest.raises(ArgumentError, match="cannot be shared between processes"):
        opencl.Event(interprocess=True)


def test_streams_do_not_share_freed_blocks(device):
    if isinstance(device.channel.pool, ExactBuffers):
        pytest.skip("CLTENSOR_MEMORY_POOL=0: nothing is reused")
    s = opencl.Stream()
    freed = device.allocate(12345).int_ptr
    with opencl.stream(s):
        own = device.allocate(12345)
        assert own.int_ptr != freed
    again = device.allocate(12345)
    assert again.int_ptr != own.int_ptr


def test_memory_of_all_streams_is_counted(device):
    gc.collect()  # what earlier tests left
    start = opencl.memory_allocated()
    opencl.reset_peak_memory_stats()
    a = device.allocate(1000)
    with opencl.stream(opencl.Stream()):
        b = device.allocate(2000)
        assert opencl.memory_allocated() == start + 3000
        assert opencl.max_memory_allocated() == start + 3000
    del a, b
    assert opencl.memory_allocated() == start


def test_dropped_stream_leaves_its_buffers_valid(device):
    gc.collect()
    channels = len(device.channels)
    s = opencl.Stream()
    with opencl.stream(s):
        buffer = device.allocate(4000)
        device.write(buffer, 0, np.arange(1000, dtype=np.int32))
        opencl.current_stream().synchronize()
    del s
    gc.collect()
    assert len(device.channels) == channels
    result = np.empty(1000, np.int32)
    device.read(buffer, 0, result)
    assert (result == np.arange(1000)).all()


@pytest.mark.parametrize("told", [True, False])
def test_memory_used_on_another_stream_is_kept_until_it_has_passed(device, spin, told):
    side, x = opencl.Stream(), ct.full((1 << 16,), 3.0)
    opencl.synchronize()
    place, before = x.data_ptr(), opencl.memory_allocated()
    with opencl.stream(side):
        busy = spin()
        y = x * 2
        if told:
            x.record_stream(side)
    del x
    gc.collect()
    others = [ct.zeros(1 << 16) for _ in range(3)]
    assert (place in [o.data_ptr() for o in others]) is not told
    side.synchronize()
    del others, busy
    if told:
        assert y.eq(6).all()
    del y
    gc.collect()
    assert opencl.memory_allocated() <= before - 4 * (1 << 16)


def test_stream_wants_a_stream():
    with pytest.raises(ArgumentTypeError, match="stream: expected a Stream or None, got 0"):
        opencl.stream(0)


def test_record_stream_wants_a_stream():
    with pytest.raises(ArgumentTypeError, match=r"record_stream\(\): argument 's' must be a Stream, not int"):
        ct.ones(2).record_stream(0)
