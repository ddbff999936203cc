"""Opening a device: on first use, once, whatever the number of threads; and saying so when it fails."""

import os
import subprocess
import sys

import pytest

from cltensor.base.errors import DeviceError
from cltensor.runtime import device as devices
from cltensor.runtime import loader
from cltensor.runtime.entry import describe

from .fakes import FakeDevice, FakeError, FakePlatform

pytestmark = pytest.mark.device

OPEN_FROM_MANY_THREADS = """
import threading
from cltensor.runtime.device import default_device, opened
found, start = [], threading.Barrier(8)
def use():
    start.wait()
    d = default_device()
    d.allocate(100)
    found.append((d, d.context, d.submit, d.lock, d.programs, d.read.__self__))
threads = [threading.Thread(target=use) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
assert len(found) == 8 and len({tuple(map(id, f)) for f in found}) == 1, found
assert opened() == [default_device()]
"""


def test_threads_open_a_device_once(device):
    if "one-thread" in device.profile.quirks:
        pytest.skip(f"{device.name} is not safe from two threads")
    subprocess.run([sys.executable, "-c", OPEN_FROM_MANY_THREADS], check=True, env=os.environ)


def test_what_launches_read_is_plain_attributes(device):
    device.synchronize()
    assert device.submit is device.__dict__["submit"]
    assert device.lock is device.__dict__["lock"]
    assert device.allocate is device.__dict__["allocate"]
    assert device in devices.opened()


def test_queue_keeps_order(device):
    cl = loader.pyopencl()
    assert not device.channel.queue.properties & cl.command_queue_properties.OUT_OF_ORDER_EXEC_MODE_ENABLE


def test_device_that_does_not_open(device, monkeypatch):
    class Broken:
        Error = FakeError

        @staticmethod
        def Context(chosen):
            raise FakeError("OUT_OF_RESOURCES")

    broken = object.__new__(devices.device)
    broken.index, broken.entry = 5, describe(FakePlatform("Maker", []), FakeDevice("Card"))
    monkeypatch.setattr(loader, "_module", Broken)
    with pytest.raises(DeviceError, match=r"opencl:5 \(Card, Maker\) is listed but cannot be opened: OUT_OF_RESOURCES"):
        _ = broken.submit
    with pytest.raises(DeviceError, match="cannot be opened"):  # and again
        broken.allocate(4)
