"""Launches that run in the calling thread: when they run there, in the order of the calls, and what turns that off."""

import os
import subprocess
import sys

import numpy as np
import pytest

import cltensor
from cltensor import opencl
from cltensor.dispatch.registry import REGISTRY
from cltensor.runtime import inline, launch
from cltensor.runtime.channel import Channel, InlineChannel
from cltensor.runtime.launch import Launch, Trial
from cltensor.runtime.loader import pyopencl

from .kernels import ONE, SPIN, add_source

pytestmark = pytest.mark.device
CHANGED = "__kernel void changed(__global int *x) { x[0] = x[0] == 7 ? 1 : 2; }"
TWICE = "__kernel void twice(__global int *x) { x[0] = 2 * x[0] + 1; }"
ROUNDS = np.int64(3_000_000)  # some milliseconds


@pytest.fixture
def channel(device):
    """The channel of a stream of its own, in use.  Skips where the device has no inline queue."""
    if device.inline is None:
        pytest.skip(f"{device.name} runs nothing in the calling thread")
    for source in (add_source(1), CHANGED, SPIN, TWICE):  # compiling would take longer than what is to be under way
        device.program(source)
    with opencl.Stream() as s:
        yield s._channel


def launched(device, source, name, *arguments, at_once=False):
    """Set the arguments and submit one work-item; at_once: in the calling thread where that may be."""
    made = Launch(device.kernel(source, name), ONE, ONE)
    made.inline = at_once
    made.kernel.set_args(*arguments)
    with device.lock:
        device.submit(made)


def busy(device, buffer):
    """Give the driver's threads something to do for a while; it changes the first element of `buffer`."""
    launched(device, SPIN, "spin", buffer, ROUNDS)


def buffer_of(device, *values):
    array = np.array(values, np.int32)
    buffer = device.allocate(array.nbytes)
    device.write(buffer, 0, array)
    return buffer


def values_of(device, buffer, n=1):
    array = np.empty(n, np.int32)
    device.read(buffer, 0, array)
    return array.tolist()


def test_light_work_is_done_when_the_call_returns(device, channel):
    buffer = buffer_of(device, 1, 2)
    launched(device, add_source(5), "add", buffer, np.int64(2), at_once=True)
    assert channel.last is None
    assert values_of(device, buffer, 2) == [6, 7]


def test_work_goes_behind_what_is_under_way(device, channel):
    buffer = buffer_of(device, 7)
    busy(device, buffer)
    under_way = channel.last
    launched(device, add_source(1), "add", buffer, np.int64(1), at_once=True)
    assert channel.last is not under_way
    launched(device, CHANGED, "changed", buffer, at_once=True)
    assert values_of(device, buffer) == [2]


def test_order_of_many(device, channel):
    """x -> 2 x + 1, by turns in the calling thread and by others."""
    for _ in range(50):
        buffer = buffer_of(device, 0)
        for i in range(20):
            launched(device, TWICE, "twice", buffer, at_once=bool(i % 3))
        assert values_of(device, buffer) == [2**20 - 1]


def test_reading_waits(device, channel):
    buffer = buffer_of(device, 7)
    busy(device, buffer)
    assert values_of(device, buffer) != [7]


def test_writing_waits_its_turn(device, channel):
    buffer = buffer_of(device, 7)
    busy(device, buffer)
    device.write(buffer, 0, np.array([3], np.int32))
    assert values_of(device, buffer) == [3]


@pytest.mark.parametrize("under_way", [False, True])
def test_filling_and_copying_keep_the_order(device, channel, under_way):
    a, b = buffer_of(device, 7, 8), buffer_of(device, 0, 0)
    if under_way:
        busy(device, a)
    device.fill(a, 0, 4, np.int32(5))
    device.copy(b, 4, a, 0, 4)
    if not under_way:
        assert channel.last is None
    device.fill(a, 0, 8, np.int32(9))
    assert values_of(device, b, 2) == [0, 5]
    assert values_of(device, a, 2) == [9, 9]


def test_an_event_of_another_stream_is_waited_for(device, channel):
    other = opencl.Stream()
    buffer = buffer_of(device, 7)
    with opencl.stream(other):
        busy(device, buffer)
        event = other.record_event()
    event.wait()
    launched(device, CHANGED, "changed", buffer, at_once=True)
    assert values_of(device, buffer) == [2]


def test_events_time_work_in_both_places(device, channel):
    start, end = opencl.Event(enable_timing=True), opencl.Event(enable_timing=True)
    buffer = buffer_of(device, 7)
    start.record()
    launched(device, SPIN, "spin", buffer, ROUNDS)
    launched(device, add_source(1), "add", buffer, np.int64(1), at_once=True)
    end.record()
    end.synchronize()
    assert start.elapsed_time(end) > 0.5


def test_a_queue_that_was_handed_out_gets_everything(device):
    if device.inline is None:
        pytest.skip(f"{device.name} runs nothing in the calling thread")
    cl = pyopencl()
    with opencl.Stream() as s:
        buffer = buffer_of(device, 7)
        queue = s.queue
        assert queue is device.queue
        spin = device.kernel(SPIN, "spin")
        spin.set_args(buffer, ROUNDS)
        cl.enqueue_nd_range_kernel(queue, spin, ONE, ONE)
        launched(device, CHANGED, "changed", buffer, at_once=True)
        assert values_of(device, buffer) == [2]
        cl.enqueue_nd_range_kernel(queue, spin, ONE, ONE)
        device.write(buffer, 0, np.array([3], np.int32))
        assert values_of(device, buffer) == [3]


def test_trial():
    assert Trial().after(launch.LIGHT) is True
    slow = Trial()
    assert slow.after(20 * launch.LIGHT) is slow  # the first run may have loaded the code
    assert slow.after(2 * launch.LIGHT) is slow
    assert slow.after(2 * launch.LIGHT) is False
    assert Trial().after(100 * launch.LIGHT) is False


def test_small_ops_are_tried_and_large_ones_are_not(device, channel):
    x, large = cltensor.ones(64), cltensor.empty(2**20)
    plans = [REGISTRY["erfinv"].plan((t._spec,), None) for t in (x, large)]
    assert isinstance(plans[0].steps[0].inline, Trial)
    assert plans[1].steps[0].inline is False
    for _ in range(3):
        plans[0].run([x._storage.buffer, cltensor.empty(64)._storage.buffer], {})
    assert isinstance(plans[0].steps[0].inline, bool)


def run(code, **settings):
    found = subprocess.run([sys.executable, "-c", code], env={**os.environ, **settings}, check=True, capture_output=True,
                           text=True)
    return found.stdout.split()


SAY = """
import cltensor
from cltensor.runtime.device import default_device
x = cltensor.arange(5) + 1
print(x.sum().item(), type(default_device().channel).__name__)
"""


def test_setting(device, monkeypatch):
    assert run(SAY)[1] == ("InlineChannel" if device.inline else "Channel")
    monkeypatch.delenv("POCL_DEVICES", raising=False)  # set by the runtime in this process
    assert run(SAY, CLTENSOR_INLINE="0") == ["15", "Channel"]


FAIL = """
from cltensor.dispatch.registry import REGISTRY
from cltensor.runtime import inline
probes = inline._probes
inline._probes = lambda programs: ((bytes(len(n)), b) for n, b in probes(programs))  # as if the number stood elsewhere
""" + SAY


def test_binaries_of_another_layout_turn_it_off(device, tmp_path):
    assert run(FAIL, CLTENSOR_CACHE_DIR=str(tmp_path)) == ["15", "Channel"]


def test_number_of_the_device_is_kept_on_disk(device, channel, monkeypatch):
    if device.programs.cache is None:
        pytest.skip("nothing is kept on disk")
    kept, compiled = inline._probes(device.programs)
    assert kept[0] == compiled[0]


def test_a_spoilt_entry_on_disk_is_replaced(device, channel):
    programs = device.programs
    if programs.cache is None:
        pytest.skip("nothing is kept on disk")
    key = programs.key(f"{inline._PROBE} {device.entry.inline.name}")
    programs.cache.put(key, b"spoilt")
    assert inline.open_queue(programs) is not None
    assert programs.cache.get(key) != b"spoilt"


def test_channel_of_a_device_without_an_inline_queue(device, monkeypatch):
    monkeypatch.setattr(device, "inline", None)
    with opencl.Stream() as s:
        assert type(s._channel) is Channel is not InlineChannel
        buffer = buffer_of(device, 7)
        busy(device, buffer)
        launched(device, add_source(1), "add", buffer, np.int64(1), at_once=True)
        device.write(buffer, 0, np.array([3], np.int32))
        assert values_of(device, buffer) == [3]
